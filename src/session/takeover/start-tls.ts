import { checkTls } from '../../blueprint/connection/tls-options.js';
import { refuse, reporter } from '../../blueprint/mistakes.js';
import type { TlsOptions } from '../../decorators/connection/endpoint-types.js';
import { publish } from '../../diagnostics.js';
import type { Transport } from '../../endpoints/endpoint.js';
import { hostAndPort } from '../../endpoints/net/tcp.js';
import { asError, ConnectionClosedError, TlsInjectionError, UsageError, type Mistake } from '../../errors.js';
import { reasonOfTransport } from '../close-reason.js';
import type { Ending } from '../lifecycle.js';
import { shaken } from '../../timing/handshake-timeout.js';
import type { Line } from '../handler/handler-runner.js';
import type { Outbound } from '../outbound/send-buffer.js';
import { Hold, type Reader } from '../inbound/read-loop.js';
import type { SessionHost } from '../session-host.js';
import type { Settings } from '../settings.js';

/** The session, as STARTTLS sees it. */
export interface SecuringHost {
  readonly id: string;
  readonly host: SessionHost;
  readonly settings: Settings;
  readonly transport: Transport;
  readonly reader: Reader;
  readonly outbound: Outbound;
  readonly line: Line;
  readonly ending: Ending;
  readonly piped: boolean;
  working(): void;
  settled(): void;
}

/**
 * Takes a connection over to TLS, in place: flushes, shakes hands, runs `@OnSecure`. Messages wait until then, and what is sent meanwhile follows.
 * What goes wrong closes the connection, and is told as any other failure of a socket: whoever does not wait for this misses nothing.
 */
export function startTls(session: SecuringHost, options: TlsOptions | undefined): Promise<void> {
  const secured = secure(session, options);
  secured.catch(() => {});
  return secured;
}

async function secure(session: SecuringHost, options: TlsOptions | undefined): Promise<void> {
  const tls = checked(session, options);
  const { ending, line, outbound, reader, settings } = session;
  if (!ending.open) throw new ConnectionClosedError();
  outbound.flush();
  if (reader.held(Hold.MOVING)) throw new UsageError('the connection is being handed off: the other process starts TLS');
  if (reader.held(Hold.SECURING)) throw new UsageError('startTls() is under way already');
  if (!outbound.seize()) throw new UsageError('a file is being sent: wait for it before startTls()');
  reader.hold(Hold.SECURING);
  // Who ends the connection meanwhile, ends it behind the handshake.
  line.due++;
  session.working();
  try {
    if (reader.take().length > 0) throw new TlsInjectionError();
    if (ending.peerHasEnded) ending.drop({ by: 'peer', code: 'END' });
    else await shake(session, tls);
  } catch (thrown) {
    fail(session, asError(thrown));
  }
  if (!ending.over) {
    outbound.yield();
    const { name, blueprint } = settings.plan;
    publish('connection.secure', { id: session.id, handler: name, protocol: session.transport.tls?.protocol });
    await line.hook('OnSecure', blueprint.hooks.secure);
  }
  line.due--;
  // Whoever waits for the handshake goes first.
  reader.release(Hold.SECURING, true);
  session.settled();
  if (ending.over) throw await whyOver(ending);
}

/** Whoever closed it meanwhile has said why. */
function fail({ ending, line }: SecuringHost, error: Error): void {
  if (ending.over) return;
  const reason = reasonOfTransport(error);
  ending.drop(reason);
  if (reason.by === 'error') void line.tell(error, { during: 'socket' });
}

function shake({ host, settings, transport, ending }: SecuringHost, tls: TlsOptions): Promise<void> {
  const how = { tls, isServer: settings.accepted, host: hostAndPort(settings.target.url)?.host };
  const { handshakeTimeout } = settings.limits;
  const late = (error: Error): void => ending.drop({ by: 'timeout', code: 'handshakeTimeout', error });
  return shaken(host.clock, handshakeTimeout, () => transport.startTls!(how), late);
}

/** What the connection ended with, once it has. */
async function whyOver(ending: Ending): Promise<Error> {
  if (!ending.gone) await new Promise(resolve => ending.signal.addEventListener('abort', resolve, { once: true }));
  return ending.reason?.error ?? new ConnectionClosedError();
}

/** Throws UsageError or ConfigurationError for what nobody but the caller can mend: the connection is as it was then. */
function checked({ settings, transport, piped }: SecuringHost, options: TlsOptions | undefined): TlsOptions {
  const { name } = settings.plan;
  if (settings.concurrency > 1) throw new UsageError(`${name} has concurrency above 1: nobody could tell which messages came before TLS`);
  if (!transport.startTls)
    throw new UsageError(`${name} cannot start TLS: a ${settings.scheme.name}: connection has nothing beneath it that could`);
  if (transport.tls) throw new UsageError('the connection speaks TLS already');
  if (piped) throw new UsageError('a piped connection cannot start TLS: its bytes are not its own');
  const mistakes: Mistake[] = [];
  checkTls(options, 'startTls', reporter(name, mistakes));
  refuse(mistakes);
  const tls = options ?? (settings.target.options['tls'] as TlsOptions | undefined) ?? {};
  if (settings.accepted && tls.cert === undefined && tls.sni === undefined)
    throw new UsageError(`${name} has no certificate to show: write tls: { cert, key } beside its url, or startTls({ cert, key })`);
  return tls;
}
