// The built-in endpoint schemes register themselves.
import '../../endpoints/index.js';
import type { Ctor, Token } from '../../blueprint/types.js';
import { channelSpecOf } from '../../decorators/injection/channel-token.js';
import { Logger } from '../../logger.js';
import { Peer, Reactor, type Channels } from '../../reactor/index.js';
import type { FrameworkParts } from './container.js';

/** Parts that differ between a master and a worker. */
export interface OtherParts extends Pick<FrameworkParts, 'client' | 'elsewhere'> {
  readonly constants: Iterable<readonly [Token, () => unknown]>;
  readonly absent: Iterable<readonly [Token, string]>;
  readonly options?: { readonly value: unknown };
}

/** Parts that every process has. */
export interface CommonParts {
  readonly reactor: Reactor;
  readonly channels: Channels;
  readonly logger: Logger;
}

/** Makes the framework's own parts of the container of any process. */
export function ownParts(
  { reactor, channels, logger }: CommonParts,
  { constants, absent, client, options, elsewhere }: OtherParts,
): FrameworkParts {
  return {
    constants: new Map<Token, () => unknown>([[Reactor, () => reactor], ...constants]),
    absent: new Map(absent),
    peer: Peer,
    logger: Logger,
    bindLogger: bindings => logger.child(bindings),
    client,
    channel: token => {
      if (typeof token !== 'function' || !channelSpecOf(token)) return undefined;
      return scope => {
        const face = channels.face(token as Ctor);
        scope.keep(face);
        return face;
      };
    },
    options,
    elsewhere,
  };
}
