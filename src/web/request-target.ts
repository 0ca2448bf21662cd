import type { IncomingMessage } from 'node:http';
import { normalPath } from '../endpoints/normal-path.js';

const HOST = /^(?:\[[0-9a-f:.]+\]|[^:/?#@[\]<>^|\s\\]+)(?::\d*)?$/i;
/** A target that needs no work: no dot segments, no escapes, nothing that a URL would write differently. */
const NORMAL = /^(?:\/(?!\.)[\w\-.~!$&'()*+,;=:@]*)+(?:\?[^#]*)?$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)$/i;
/** Separators that are escaped or doubled: some handlers take them for one. */
const SEPARATORS = /%2f|%5c|\/\//i;

/** Whether a text is a host, with or without a port. */
export function isHost(text: string): boolean {
  return HOST.test(text);
}

function merged(path: string): string {
  return path.replace(/\/{2,}/g, '/');
}

/** One Host header field, and the host in it; undefined: none, several, or nonsense. HTTP/1.0 may do without. */
function hostOf({ rawHeaders, headers }: IncomingMessage): string | undefined {
  let found = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host' && ++found > 1) return undefined;
  }
  const { host = 'localhost' } = headers;
  return HOST.test(host) ? host : undefined;
}

/** The path and query of a request target; undefined: it has none, or not of this host. */
function originForm({ method, url = '/', headers }: IncomingMessage, host: string): string | undefined {
  if (url.startsWith('/')) return url;
  if (url === '*' && method === 'OPTIONS') return '/*';
  const [, authority, rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (authority?.toLowerCase() !== host.toLowerCase() || headers.host === undefined) return undefined;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Brings the target of a request into its one form, path and query, and writes it to `request.url`: whatever chooses the endpoint and
 * whatever answers read the same text. False: the request must be answered with 400. It has two Host fields or a wrong one, another
 * scheme or host in its target, credentials, a fragment, or a broken escape.
 */
export function normalizeTarget(request: IncomingMessage): boolean {
  const host = hostOf(request);
  const target = host === undefined ? undefined : originForm(request, host);
  if (target === undefined || target.includes('#')) return false;
  if (NORMAL.test(target)) {
    request.url = target;
    return true;
  }
  const query = target.indexOf('?');
  const path = normalPath(query < 0 ? target : target.slice(0, query));
  if (path === undefined) return false;
  request.url = query < 0 ? path : path + target.slice(query);
  return true;
}

/** The paths that a handler may see which decodes separators, or takes several for one, before or after it resolves dot segments. */
export function decodedPaths(path: string): readonly string[] {
  if (!SEPARATORS.test(path)) return [];
  // Its escapes are whole: this is the path of a normal target.
  return [path, path.replace(/%2f|%5c/gi, '/')].flatMap(text => [normalPath(text)!, merged(normalPath(text)!), normalPath(merged(text))!]);
}

/** The path of a request whose target is normal. */
export function pathOfTarget({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
