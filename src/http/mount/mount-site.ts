import { currentContext } from '../../async-context.js';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { realClock } from '../../clock.js';
import type { Acceptor, EndpointTarget } from '../../endpoints/endpoint.js';
import { publish } from '../../diagnostics.js';
import { resetSocket } from '../../endpoints/net/reset-socket.js';
import { asError, LimitError, ListenError } from '../../errors.js';
import { guard } from '../../guard.js';
import { RequestArrival } from '../arrival.js';
import { requestOf, requestUrlOf, type BodyLimits } from '../../web/incoming.js';
import type { FetchApp, RequestListener } from './mountable.js';
import { MountArrival } from './mount-guest.js';
import type { Mount } from './mount.js';
import { writeResponse } from '../outgoing.js';
import { ResponseReader } from '../reader.js';
import { share, type Membership } from '../../web/shared-server.js';
import type { VirtualPath } from '../../web/site.js';
import { errorStatusOf } from '../../web/status.js';

/** What Node itself gives a client for a whole request, in milliseconds. */
const REQUEST_TIMEOUT = 300_000;

interface FetchLimits extends BodyLimits {
  readonly drainTimeout: number;
}

/** Asks an application of the web's kind. Never rejects. */
async function askFetch(app: FetchApp, arrival: RequestArrival, limits: FetchLimits): Promise<void> {
  const { request: incoming, response, secure, host } = arrival;
  const url = requestUrlOf(incoming, secure, host);
  if (!url || incoming.method === 'TRACE') {
    arrival.answer(url ? 501 : 400, '');
    return;
  }
  const abort = new AbortController();
  response.once(
    'close',
    guard(arrival.raw, () => {
      if (response.writableFinished) arrival.answered(realClock, limits.messageTimeout);
      else abort.abort(new Error('the client left'));
    }),
  );
  try {
    const request = requestOf(incoming, url, abort.signal, limits, realClock, () => arrival.isLast());
    const answer = await app.fetch(request);
    const client = new ResponseReader(response, realClock, limits.drainTimeout, () => {
      publish('connection.limit', { handler: 'mounted', limit: 'drainTimeout', remote: arrival.remote });
      resetSocket(arrival.raw);
    });
    await writeResponse(answer, response, client);
    client.watch();
  } catch (thrown) {
    if (!abort.signal.aborted) explain(arrival, thrown);
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

/** Asks an application of Node's kind. What it throws must not leave the event loop, and somebody waits for an answer. */
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
}

function isAdmitted(arrival: RequestArrival, admits: MountHow['admits']): boolean {
  if (!admits || admits(arrival)) return true;
  arrival.destroy(new LimitError('deny', 'refused: deny'));
  return false;
}

/** Puts a mounted application on the server of its host and port; its requests do not come by anything else of ours. Throws ListenError. */
export async function shareMount(target: EndpointTarget, acceptor: Acceptor, mount: Mount, how: MountHow): Promise<Membership> {
  const { way } = mount;
  const { limits, arrivalOf, admits } = how;
  // A body has the limit that is written, or whatever the application says itself.
  const body = target.options['maxMessageSize'] === undefined ? { ...limits, maxMessageSize: Infinity } : limits;
  const site: VirtualPath = {
    ...how.site,
    kind: 'request',
    requestTimeout: REQUEST_TIMEOUT,
    request:
      way.kind === 'listener'
        ? (request, response) => {
            if (!admits || isAdmitted(arrivalOf(request, response), admits))
              currentContext().runInAsyncScope(askListener, undefined, way.listener, request, response, arrivalOf);
          }
        : (request, response) => {
            const arrival = arrivalOf(request, response);
            if (isAdmitted(arrival, admits)) void currentContext().runInAsyncScope(askFetch, undefined, way.app, arrival, body);
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
