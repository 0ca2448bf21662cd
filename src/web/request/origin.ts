import type { IncomingMessage } from 'node:http';

/** Origins of hosts asked for, without and with TLS, as URL writes them; undefined: no url can have that host. */
const ORIGINS = { http: new Map<string, string | undefined>(), https: new Map<string, string | undefined>() } as const;
/** Hosts remembered. Clients may write what they like, so the memory is emptied when it is full. */
const MOST = 256;

/** `scheme://host` in its one spelling: lower case, without the port that the scheme has anyway. Undefined: it is no host of a url. */
export function originOf(secure: boolean, host: string): string | undefined {
  const scheme = secure ? 'https' : 'http';
  const known = ORIGINS[scheme];
  const remembered = known.get(host);
  if (remembered !== undefined || known.has(host)) return remembered;
  const text = `${scheme}://${host}`;
  const origin = URL.canParse(text) ? new URL(text).origin : undefined;
  if (known.size >= MOST) known.clear();
  known.set(host, origin);
  return origin;
}

/** The absolute url of a request whose target is normal, at the host that it was sent to. Undefined: that is no host of a url. */
export function requestUrlOf({ url = '/', headers }: IncomingMessage, secure: boolean, host = headers.host): URL | undefined {
  const origin = originOf(secure, host ?? 'localhost');
  // Joined, not resolved: '//other.host/' is a path here.
  return origin === undefined ? undefined : new URL(origin + url);
}
