import { isIPv6 } from 'node:net';
import type { Remote } from '../endpoints/endpoint.js';
import { normalPath } from '../endpoints/normal-path.js';

const URL_PARTS = /^([a-z]+):\/\/(\[[0-9a-f:.%a-z]*\]|[^:/?#[\]@]*)(?::(\d{1,5}))?(\/[^?#]*)?(\?[^#]*)?$/i;
const LOOPBACK = '127.0.0.1';

/** The parts of `scheme://host:port/path?query`. */
export interface WebUrl {
  readonly scheme: string;
  /** With TLS. */
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Undefined: none was written, or nothing but '/'. */
  readonly path: string | undefined;
  readonly query: string;
}

/** The parts of a url of the web; an empty host is the loopback, no port is the scheme's own. Undefined: it is malformed. */
export function webUrl(url: string): WebUrl | undefined {
  const parts = URL_PARTS.exec(url);
  if (!parts) return undefined;
  const [, scheme = '', host = '', digits, path = '/', query = ''] = parts;
  const secure = /^(?:wss|https)$/i.test(scheme);
  const port = digits === undefined ? (secure ? 443 : 80) : Number(digits);
  if (port > 65_535) return undefined;
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return { scheme: scheme.toLowerCase(), secure, host: bare === '' ? LOOPBACK : bare, port, path: path === '/' ? undefined : path, query };
}

/** The path that an endpoint answers, in the spelling of requests; undefined: every path. The blueprint has checked the url. */
export function sitePathOf(url: string): string | undefined {
  const path = normalPath(webUrl(url)?.path ?? '/');
  return path === '/' ? undefined : path;
}

/** `scheme://host:port/path`, with an IPv6 address in brackets. */
export function webUrlOf(scheme: string, host: string, port: number, path = ''): string {
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}${path}`;
}

/** The tcp: endpoint beneath an endpoint of the web. */
export function socketUrlOf(url: string): string {
  const parts = webUrl(url);
  return parts ? webUrlOf('tcp', parts.host, parts.port) : url;
}

/** One end of a socket. */
export function listenPlaceOf(scheme: string, address: string | undefined, port: number | undefined, path = ''): Remote {
  if (address === undefined || port === undefined) return { url: `${scheme}:` };
  return { url: webUrlOf(scheme, address, port, path), address, port };
}

/** A client of which a proxy has told the address: its port is not known. */
export function clientRemote(scheme: string, address: string): Remote {
  return { url: `${scheme}://${isIPv6(address) ? `[${address}]` : address}`, address };
}
