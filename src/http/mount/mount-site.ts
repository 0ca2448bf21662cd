import { currentContext } from '../../async-context.js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { realClock } from '../../clock.js';
import type { Acceptor, EndpointTarget } from '../../endpoints/endpoint.js';
import { publish } from '../../diagnostics.js';
import { resetSocket } from '../../endpoints/net/reset-socket.js';
import { asError, LimitError, ListenError, UsageError } from '../../errors.js';
import { isResponse, notResponse } from '../../is-response.js';
import { guard } from '../../guard.js';
import { RequestArrival } from '../arrival.js';
import { requestOf, type BodyLimits } from '../../web/incoming.js';
import type { FetchApp, RequestListener } from './mountable.js';
import { MountArrival } from './mount-guest.js';
import { MountReaders } from './mount-readers.js';
import type { Mount } from './mount.js';
import { webRequest, type RequestSource } from '../../web/light/request.js';
import { originOf } from '../../web/request/origin.js';
import { readBody, type BodyReader } from '../../web/request/read-body.js';
import { writeAnswer } from '../outgoing.js';
import { ResponseReader } from '../reader.js';
import { share, type Membership } from '../../web/shared-server.js';
import type { VirtualPath } from '../../web/site.js';
import { errorStatusOf } from '../../web/status.js';

/** Node's own default for a whole request, in milliseconds. */
const REQUEST_TIMEOUT = 300_000;

interface FetchLimits extends BodyLimits {
  readonly drainTimeout: number;
}

/** Its client has taken nothing for `drainTimeout`. */
function cutOff({ raw, remote }: RequestArrival): void {
  publish('connection.limit', { handler: 'mounted', limit: 'drainTimeout', remote });
  resetSocket(raw);
}

/** A request for an application of the web's kind. */
class FetchCall implements RequestSource, BodyReader {
  readonly #arrival: RequestArrival;
  readonly limits: FetchLimits;
  readonly origin: string;
  /** Made when a signal is first asked for. */
  #abort: AbortController | undefined;
  #hasLeft = false;

  constructor(arrival: RequestArrival, origin: string, limits: FetchLimits) {
    this.#arrival = arrival;
    this.limits = limits;
    this.origin = origin;
    const { response } = arrival;
    response.once(
      'close',
      guard(arrival.raw, () => {
        if (response.writableFinished) arrival.onAnswered(realClock, limits.messageTimeout);
        else {
          this.#hasLeft = true;
          this.#abort?.abort(new Error('the client left'));
        }
      }),
    );
  }

  get incoming(): IncomingMessage {
    return this.#arrival.request;
  }

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#hasLeft) this.#abort.abort(new Error('the client left'));
    return this.#abort.signal;
  }

  whole(): Promise<Buffer> {
    return readBody(this.incoming, this.limits, realClock, this);
  }

  bodyRead(): void {}

  bodyFailed(): void {
    this.#arrival.isLast();
  }

  real(url: string, headers: Headers, body: Uint8Array | undefined): Request {
    return requestOf(this, { url, headers, body }, this.limits, realClock, () => this.#arrival.isLast());
  }

  /** Sees to it that the client goes on reading. */
  reader(): ResponseReader {
    return new ResponseReader(this.#arrival.response, realClock, this.limits.drainTimeout, () => cutOff(this.#arrival));
  }
}

/** Asks an application of the web's kind. Never rejects. */
async function askFetch(app: FetchApp, arrival: RequestArrival, limits: FetchLimits): Promise<void> {
  const { request: incoming, response, secure, host = incoming.headers.host ?? 'localhost' } = arrival;
  const origin = originOf(secure, host);
  if (origin === undefined || incoming.method === 'TRACE') {
    arrival.answer(origin === undefined ? 400 : 501, '');
    return;
  }
  const call = new FetchCall(arrival, origin, limits);
  try {
    const answer: unknown = await app.fetch(webRequest(call));
    if (!isResponse(answer)) throw new UsageError(`fetch() of the mounted application ${notResponse(answer)}`);
    await writeAnswer(answer, response, call);
  } catch (thrown) {
    if (!call.hasLeft) explain(arrival, thrown);
  }
}

/** Tells the client, and the log, what an application did not see to itself. */
function explain(arrival: RequestArrival, thrown: unknown): void {
  const error = asError(thrown);
  const { response } = arrival;
  const { status, text } = errorStatusOf(error);
  if (status === 500 || response.headersSent) publish('connection.error', { handler: 'mounted', during: 'message', error });
  if (!response.writableEnded) arrival.answer(status, text);
}

/** Calls an application of Node's kind. Its exception must not leave the event loop, and the client waits for an answer. */
function askListener(listener: RequestListener, request: IncomingMessage, response: ServerResponse, arrivalOf: ArrivalOf): void {
  const failed = (thrown: unknown): void => explain(arrivalOf(request, response), thrown);
  try {
    const outcome = listener(request, response);
    if (outcome instanceof Promise) outcome.catch(failed);
  } catch (thrown) {
    failed(thrown);
  }
}

/** Makes the arrival of a request, with what a trusted proxy says of its client. */
export type ArrivalOf = (request: IncomingMessage, response: ServerResponse) => RequestArrival;

interface MountHow {
  readonly site: Omit<VirtualPath, 'kind' | 'request'>;
  readonly limits: FetchLimits;
  readonly arrivalOf: ArrivalOf;
  /** Whether the client of a proxy is let in; undefined: the socket has been asked, and that is the client. */
  readonly admits: ((arrival: RequestArrival) => boolean) | undefined;
  /** Sets the fields of `cors`; returns whether that was the whole answer. Undefined: there is no such option. */
  readonly isAnswered: ((arrival: RequestArrival) => boolean) | undefined;
}

function isAdmitted(arrival: RequestArrival, admits: MountHow['admits']): boolean {
  if (!admits || admits(arrival)) return true;
  arrival.destroy(new LimitError('deny', 'refused: deny'));
  return false;
}

/** Puts a mounted application on the server of its host and port; its requests do not come by anything else of ours. Throws ListenError. */
export async function shareMount(target: EndpointTarget, acceptor: Acceptor, mount: Mount, how: MountHow): Promise<Membership> {
  const { way } = mount;
  const { limits, arrivalOf, admits, isAnswered } = how;
  // A body has the limit that is written, or whatever the application says itself.
  const body = target.options['maxMessageSize'] === undefined ? { ...limits, maxMessageSize: Infinity } : limits;
  const answers = (): Iterable<ServerResponse> => membership.server.answersOf(site);
  const readers = new MountReaders(answers, limits.drainTimeout, response => cutOff(arrivalOf(response.req, response)));
  const site: VirtualPath = {
    ...how.site,
    kind: 'request',
    requestTimeout: REQUEST_TIMEOUT,
    request:
      way.kind === 'listener'
        ? (request, response) => {
            readers.arrived();
            if (isAnswered?.(arrivalOf(request, response)) === true) return;
            if (!admits || isAdmitted(arrivalOf(request, response), admits))
              currentContext().runInAsyncScope(askListener, undefined, way.listener, request, response, arrivalOf);
          }
        : (request, response) => {
            const arrival = arrivalOf(request, response);
            if (isAnswered?.(arrival) !== true && isAdmitted(arrival, admits))
              void currentContext().runInAsyncScope(askFetch, undefined, way.app, arrival, body);
          },
  };
  const membership = await share(target, acceptor.reactor ?? acceptor, site);
  const { server, leave } = membership;
  let left: (finished: Promise<void>) => void = () => {};
  const finished = new Promise<void>(resolve => (left = resolve));
  const arrival = new MountArrival({ finished, cutOff: () => server.cutOff(site) });
  acceptor.accept(arrival);
  if (arrival.isRefused) {
    await leave();
    throw new ListenError(target.url, 'the listener refused what was mounted: is maxConnections 0?');
  }
  const leaveAndFinish = (): Promise<void> => {
    const gone = leave();
    left(server.finished(site));
    return gone;
  };
  return { ...membership, leave: leaveAndFinish };
}
