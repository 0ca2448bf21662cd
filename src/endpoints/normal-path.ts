const BROKEN_ESCAPE = /%(?![0-9a-f]{2})/i;
const ESCAPE = /%[0-9a-f]{2}/gi;
const UNRESERVED = /[\w\-.~]/;

/**
 * The one spelling of a path, as address rules, endpoints, routes and handlers compare it: dot segments resolved, `\` written as `/`,
 * letters and digits not escaped (RFC 3986, 6.2.2). Undefined: it has a broken escape.
 */
export function normalPath(path: string): string | undefined {
  if (BROKEN_ESCAPE.test(path)) return undefined;
  const { pathname } = new URL(`http://host${path}`);
  if (!pathname.includes('%')) return pathname;
  return pathname.replace(ESCAPE, escape => {
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return UNRESERVED.test(character) ? character : escape;
  });
}
