import { readFileSync } from 'node:fs';
import { ownPackage } from '../package-home.js';

/** The served files, with their types. A path is looked up here, never on the disk. */
const FILES: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['index.html', 'text/html'],
  '/style.css': ['style.css', 'text/css'],
  '/main.js': ['main.js', 'text/javascript'],
  '/connect.js': ['connect.js', 'text/javascript'],
  '/format.js': ['format.js', 'text/javascript'],
  '/dom.js': ['dom.js', 'text/javascript'],
  '/profile.js': ['profile.js', 'text/javascript'],
  '/sections.js': ['sections.js', 'text/javascript'],
};

/** Scripts, styles and sockets of this very origin, and nothing else; no frames, no forms. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** The files of the page, read once. */
export class StaticFiles {
  readonly #files = new Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }>();

  constructor() {
    const folder = new URL('src/admin/page/', ownPackage());
    for (const [path, [name, type]] of Object.entries(FILES))
      this.#files.set(path, { bytes: new Uint8Array(readFileSync(new URL(name, folder))), type: `${type}; charset=utf-8` });
  }

  answer(request: Request): Response {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return new Response('method not allowed', { status: 405, headers: { ...HEADERS, allow: 'GET, HEAD' } });
    const file = this.#files.get(new URL(request.url).pathname);
    if (!file) return new Response('not found', { status: 404, headers: { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' } });
    return new Response(file.bytes, { headers: { ...HEADERS, 'content-type': file.type } });
  }
}
