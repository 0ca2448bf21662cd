import type { TlsOptions } from '../decorators/connection/endpoint-types.js';
import type { EndpointTarget } from '../endpoints/endpoint.js';
import { checkPort } from '../endpoints/net/tcp.js';
import { flawOf } from '../endpoints/tls/tls-credentials.js';
import { webUrl } from './web-url.js';
import { normalPath } from '../endpoints/normal-path.js';

/** The mistake in an endpoint of the web, in words; undefined: none that shows without touching the system. */
export function checkUrl({ url, options }: EndpointTarget, use: 'listen' | 'connect'): string | undefined {
  const port = checkPort(url);
  if (port !== undefined) return port;
  const parts = webUrl(url);
  if (!parts) return `it is not written like '${url.slice(0, url.indexOf(':')).toLowerCase()}://host:port/path'`;
  if (use === 'listen' && parts.query !== '') return 'a listener answers a path, whatever the query: leave the query out';
  if (normalPath(parts.path ?? '/') === undefined) return "its path has a '%' that two hexadecimal digits do not follow: write '%25'";
  if (use === 'connect' && parts.port === 0) return 'port 0 cannot be connected to';
  if (!parts.secure) return undefined;
  // The blueprint has checked what is written there.
  const tls = (options['tls'] as TlsOptions | undefined) ?? {};
  if (use === 'listen' && tls.cert === undefined && tls.key === undefined && tls.sni === undefined)
    return 'it has no certificate: write tls: { cert, key } beside the url';
  const flaw = flawOf(tls);
  return flaw === undefined ? undefined : `its certificate cannot be used: ${flaw}`;
}
