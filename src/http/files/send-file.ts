import { isAbsolute } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type * as Send from '@fastify/send';
import { asError, UsageError } from '../../errors.js';
import { checkNeeded, duration, either, flag, isObject, oneOf, show, text, texts, type Rule } from '../../option-rules.js';
import { toMilliseconds, type Duration } from '../../units.js';

/** How files of a folder are sent. */
export interface FileOptions {
  /** The folder: an absolute path, or a file URL: `new URL('./public/', import.meta.url)`. Links in it are followed. */
  root: string | URL;
  /** Files that stand for a folder. Default 'index.html'; false: none. */
  index?: string | readonly string[] | false | undefined;
  /** Extensions that may be left out: `['html']` lets '/about' be about.html. Default none. */
  extensions?: readonly string[] | undefined;
  /** Names that begin with a dot: 404 (default), 403, or files like others. */
  dotfiles?: 'ignore' | 'deny' | 'allow' | undefined;
  /** How long clients need not ask again (`Cache-Control`). Default 0: they ask each time, and are answered 304. */
  maxAge?: Duration | undefined;
  /** The files never change: within `maxAge` browsers do not ask again. Default false. */
  immutable?: boolean | undefined;
}

const url: Rule = { expects: 'a file URL', fits: value => value instanceof URL && value.protocol === 'file:' };
const absolute: Rule = { expects: 'an absolute path', fits: value => typeof value === 'string' && isAbsolute(value) };
const no: Rule = { expects: 'false', fits: value => value === false };

/** Rules of {@link FileOptions}. */
export const FILE_RULES = {
  root: either(absolute, url),
  index: either(text, texts, no),
  extensions: texts,
  dotfiles: oneOf('ignore', 'deny', 'allow'),
  maxAge: duration,
  immutable: flag,
} satisfies Record<keyof FileOptions, Rule>;

/** The folder as a path. */
export function folderOf({ root }: FileOptions): string {
  return typeof root === 'string' ? root : fileURLToPath(root);
}

let loading: Promise<typeof Send> | undefined;

/** The library that reads files as HTTP asks for them. Throws UsageError where it is not installed. */
function library(): Promise<typeof Send> {
  return (loading ??= import('@fastify/send').then(
    // CommonJS: its exports are the default.
    loaded => (loaded as unknown as { readonly default: typeof Send }).default,
    (cause: unknown) => {
      loading = undefined;
      throw new UsageError(
        `files are sent by @fastify/send, which cannot be loaded: npm install @fastify/send (${asError(cause).message})`,
      );
    },
  ));
}

/** Throws UsageError where the library that reads files is not installed. */
export async function checkLibrary(): Promise<void> {
  await library();
}

/** A device, a pipe or a socket, which may never end: it is not there. */
class NoFile extends Error {}

function onlyFiles(_path: string, stat: { isFile(): boolean }): void {
  if (!stat.isFile()) throw new NoFile();
}

function plain(status: number, headers: Readonly<Record<string, string>> = {}): Response {
  const words: Readonly<Record<number, string>> = { 403: 'forbidden', 404: 'not found', 412: 'precondition failed', 416: 'no such range' };
  return new Response(words[status] ?? 'not found', { status, headers });
}

/** The url of a folder, with the slash that makes the urls on its pages relative to it. Never another host's. */
export function redirected(request: Request): Response {
  const { pathname, search } = new URL(request.url);
  return new Response(null, { status: 301, headers: { location: `/${pathname.replace(/^\/+/, '')}/${search}` } });
}

/**
 * Answers a request with a file: content type, validators (ETag and Last-Modified) with 304 and 412, ranges (206 and 416, `If-Range`; several in one
 * request are answered by the whole file), HEAD. 404 for what is not there or is no file, also for names that begin with a dot; nothing
 * outside of the folder is sent, however it is written.
 * @param path below `root`, percent-encoded as in a url: the parameter `*` of a route has been decoded, encode it again with encodeURI.
 * @throws UsageError where `@fastify/send`, an optional peer dependency, is not installed, and for options that are none.
 * @example
 * @Get('/reports/*') report({ params, request }: RouteInput<{}, '/reports/*'>) {
 *   return sendFile(request, encodeURI(params['*']), { root: '/srv/reports' });
 * }
 */
export async function sendFile(request: Request, path: string, options: FileOptions): Promise<Response> {
  if (!isObject(request) || !(text.fits(request['method']) && text.fits(request['url'])))
    throw new UsageError(`sendFile() takes the Request that it answers, and was given ${show(request)}`);
  if (!text.fits(path)) throw new UsageError(`sendFile(): path is ${show(path)}: expected a string`);
  checkNeeded('sendFile()', options, FILE_RULES, 'root');
  const { send } = await library();
  const { index = 'index.html', extensions = [], dotfiles = 'ignore', maxAge = 0, immutable = false } = options;
  const asked = { method: request.method, headers: Object.fromEntries(request.headers) };
  const how = {
    root: folderOf(options),
    index: typeof index === 'object' ? [...index] : index,
    extensions: [...extensions],
    dotfiles,
    maxAge: toMilliseconds(maxAge),
    immutable,
    onFile: onlyFiles,
  };
  let found: Send.SendResult;
  try {
    // Method and headers are what it reads of a request.
    found = await send(asked as unknown as Readable, path, how);
  } catch (error) {
    if (error instanceof NoFile) return plain(404);
    throw error;
  }
  const { type, statusCode, headers, stream } = found;
  if (type === 'directory') return redirected(request);
  if (type === 'error') return plain(statusCode, contentRangeOf(headers));
  const fields = new Headers({ 'x-content-type-options': 'nosniff' });
  for (const [name, value] of Object.entries(headers)) fields.set(name, value);
  // An unknown extension says nothing of the bytes.
  if (statusCode !== 304 && !fields.has('content-type')) fields.set('content-type', 'application/octet-stream');
  const isEmpty = request.method === 'HEAD' || statusCode === 304;
  const body = isEmpty ? null : (Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array>);
  return new Response(body, { status: statusCode, headers: fields });
}

function contentRangeOf(headers: Readonly<Record<string, string>>): Record<string, string> {
  const range = headers['Content-Range'];
  return range === undefined ? {} : { 'content-range': range };
}
