import type { AdminOptions, AdminRole } from '../app/admin/admin-types.js';
import type { PeerTls, Remote } from '../endpoints/endpoint.js';
import { isResponse } from '../is-response.js';

const FORBIDDEN = 'not allowed';

function forbidden(): Response {
  return new Response(FORBIDDEN, { status: 403, headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

/** Decides who may come. */
export class Visitors {
  readonly #authorize: AdminOptions['authorize'];

  constructor({ authorize }: AdminOptions) {
    this.#authorize = authorize;
  }

  /** The role of a request's sender, or the answer that refuses it. Rejects with the error of `authorize`. */
  async roleOf(request: Request, about: { readonly remote: Remote; readonly tls: PeerTls | undefined }): Promise<AdminRole | Response> {
    if (!this.#authorize) return 'read';
    const verdict = await this.#authorize(request, about);
    if (verdict === 'read' || verdict === 'operate') return verdict;
    return isResponse(verdict) ? verdict : forbidden();
  }
}
