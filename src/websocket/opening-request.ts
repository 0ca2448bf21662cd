/** How a websocket was opened: the client's request, or, where this side is the client, the headers of the answer. */
export interface OpeningRequest {
  readonly url: string;
  readonly headers: Headers;
  readonly protocol: string | undefined;
}
