import { createServer, type ListenOptions, type Server, type ServerOpts, type Socket } from 'node:net';
import { failing, guard, guardEach, NO_VICTIM } from '../../guard.js';
import type { Acceptor, EndpointTarget, Transport } from '../endpoint.js';
import { acceptFrom } from '../../node-internals.js';
import { socketKeeper, tcpUrl, type KeptSocket } from '../passing/kept-sockets.js';
import { listenError } from '../system-errors.js';
import { setImmediate } from '../../system-timers.js';

/** Where another process binds for this one. Throws ListenError. */
async function keptSocket(url: string, { host, port, path }: ListenOptions, mode: number | undefined): Promise<KeptSocket | undefined> {
  const keeper = socketKeeper();
  if (!keeper || (path === undefined && host === undefined)) return undefined;
  try {
    return await keeper.keep(path === undefined ? tcpUrl(host!, port ?? 0) : `unix:${path}`, { mode });
  } catch (error) {
    throw listenError(url, error);
  }
}

/** A Node server that hands out transports and stops accepting when it is told, whatever its connections do. */
export class NetListener {
  readonly server: Server;
  readonly #kept: KeptSocket | undefined;
  #close: Promise<void> | undefined;

  private constructor(server: Server, kept?: KeptSocket) {
    this.server = server;
    this.#kept = kept;
  }

  /**
   * Binds, unless the sockets come from somewhere else. `around` calls what it is given at once: there the system call happens.
   * @throws ListenError
   */
  static async bind(
    { url, source, unread, options }: Pick<EndpointTarget, 'url' | 'source' | 'unread' | 'options'>,
    serverOptions: ServerOpts,
    where: ListenOptions,
    toTransport: (socket: Socket) => Transport,
    acceptor: Acceptor,
    around: (bind: () => void) => void = bind => bind(),
  ): Promise<NetListener> {
    const server = createServer({ ...serverOptions, allowHalfOpen: true, pauseOnConnect: unread === true });
    const accept = (): void => {
      server.on(
        'error',
        guard(NO_VICTIM, (error: Error) => acceptor.failed(listenError(url, error))),
      );
      server.on(
        'connection',
        guardEach(
          (socket: Socket) => socket,
          socket => acceptor.accept(toTransport(socket)),
        ),
      );
    };
    if (source) {
      accept();
      source.attach(server);
      return new NetListener(server);
    }
    const kept = socketKeeper() && (await keptSocket(url, where, options['mode'] as number | undefined));
    return new Promise((resolve, reject) => {
      const failed = guard(NO_VICTIM, (error: Error) => reject(listenError(url, error)));
      const victim = failing(error => {
        server.close();
        reject(listenError(url, error));
      });
      server.once('error', failed);
      server.once(
        'listening',
        guard(victim, () => {
          server.off('error', failed);
          accept();
          resolve(new NetListener(server, kept));
        }),
      );
      try {
        if (kept) acceptFrom(server, kept.handle, where.backlog ?? 0);
        else around(() => server.listen(where));
      } catch (error) {
        reject(listenError(url, error));
      }
    });
  }

  /** Resolves when the address is free; open connections live on. */
  close(): Promise<void> {
    // Node calls back when the connections are closed, too; the descriptor is closed at once.
    return (this.#close ??= new Promise(resolve => {
      this.server.close();
      this.#kept?.release();
      setImmediate(resolve);
    }));
  }
}
