import { once } from 'node:events';
import { connect } from 'node:net';

/** Milliseconds that a server may take to greet. */
const WITHIN = 2_000;
/** Bytes that a greeting has at most. */
const MOST = 64 * 1024;

/** First line of a server of NATS, as far as it says what clients must show. */
export interface Greeting {
  /** Clients must show a certificate that the server's authority has signed. */
  readonly tls_verify?: boolean | undefined;
}

/** Reads the greeting of the server at `nats://host:port`. Undefined: there is none. */
export async function greetingOf(server: string): Promise<Greeting | undefined> {
  const { hostname, port } = new URL(server.replace(/^(?:\w+:\/\/)?/, 'http://'));
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 4222), signal: AbortSignal.timeout(WITHIN) });
  try {
    let text = '';
    while (!text.includes('\n') && text.length < MOST) text += String(await once(socket, 'data', { signal: AbortSignal.timeout(WITHIN) }));
    return JSON.parse(/^INFO (.*)/.exec(text)?.[1] ?? 'null') as Greeting;
  } catch {
    return undefined;
  } finally {
    socket.on('error', () => {}).destroy();
  }
}
