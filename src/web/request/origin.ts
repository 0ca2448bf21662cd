/** Origins of hosts asked for, as URL writes them; undefined: no url can have that host. */
const ORIGINS = new Map<string, string | undefined>();
/** Hosts remembered. Clients may write what they like, so the memory is emptied when it is full. */
const MOST = 256;

/** `scheme://host` in its one spelling: lower case, without the port that the scheme has anyway. Undefined: it is no host of a url. */
export function originOf(secure: boolean, host: string): string | undefined {
  const text = `${secure ? 'https' : 'http'}://${host}`;
  if (ORIGINS.has(text)) return ORIGINS.get(text);
  const origin = URL.canParse(text) ? new URL(text).origin : undefined;
  if (ORIGINS.size >= MOST) ORIGINS.clear();
  ORIGINS.set(text, origin);
  return origin;
}
