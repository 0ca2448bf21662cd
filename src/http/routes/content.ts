import type { IncomingMessage } from 'node:http';
import { parse as parseForm, type ParsedUrlQuery } from 'node:querystring';
import { parseJson, unreadable } from '../../web/received-request.js';

/** Fields of a form or a query that are read; further ones are ignored. */
const MAX_FIELDS = 1_000;
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;
const UTF_8: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

/** How a body is to be read. */
export type BodyFormat = 'json' | 'form' | 'text' | 'bytes';

/** The media type of a body in lower case, without parameters; '' where none is said. */
export function mediaTypeOf({ headers }: IncomingMessage): string {
  const written = headers['content-type'] ?? '';
  const end = written.indexOf(';');
  return (end < 0 ? written : written.slice(0, end)).trim().toLowerCase();
}

/** Whether its bytes are what its media type says: not compressed, and UTF-8. */
function isPlain({ headers }: IncomingMessage): boolean {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = headers;
  if (encoding.trim().toLowerCase() !== 'identity') return false;
  const charset = CHARSET.exec(type)?.[1];
  return charset === undefined || UTF_8.has(charset.toLowerCase());
}

/**
 * The format of a body for a schema of that kind; undefined: it is none that the schema can take.
 * @param kind of the schema, 'object' for instance; undefined: there is none, or it is of another library than zod.
 */
export function formatFor(request: IncomingMessage, kind: string | undefined): BodyFormat | undefined {
  if (!isPlain(request)) return undefined;
  const type = mediaTypeOf(request);
  if (type === 'application/json' || type.endsWith('+json')) return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  const takesAnything = kind === 'any' || kind === 'unknown';
  if (type.startsWith('text/') && (takesAnything || kind === 'string' || kind === 'template_literal')) return 'text';
  return takesAnything || kind === 'custom' ? 'bytes' : undefined;
}

/**
 * Reads `a=1&b=2`: strings, and lists where a name comes several times, or where `lists` has it.
 * @throws BoundaryError for the name `__proto__`.
 */
export function fieldsOf(text: string, lists: ReadonlySet<string>, what: 'query' | 'body'): ParsedUrlQuery {
  const fields = parseForm(text, '&', '=', { maxKeys: MAX_FIELDS });
  if ('__proto__' in fields) throw unreadable('it has the key __proto__', undefined, what);
  for (const name of lists) {
    const value = fields[name];
    if (typeof value === 'string') fields[name] = [value];
  }
  return fields;
}

function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/**
 * Parses a body of at most `limit` bytes.
 * @throws BoundaryError for what is no JSON, too deep, has too many parts, or would change prototypes.
 */
export function readContent(
  bytes: Buffer,
  format: BodyFormat,
  { lists, limit }: { readonly lists: ReadonlySet<string>; readonly limit: number },
): unknown {
  if (format === 'bytes') return bytes;
  const text = textOf(bytes);
  if (format === 'json') return parseJson(text, limit);
  return format === 'form' ? fieldsOf(text, lists, 'body') : text;
}
