import type { CloseReason } from '../../decorators/hook-types.js';
import type { Arrival, Remote } from '../../endpoints/endpoint.js';
import type { RequestScope, RequestHost } from '../../reactor/request-host.js';
import type { SessionOrigin } from '../../session/session-host.js';
import type { Settings } from '../../session/settings.js';

/** Requests of a mounted application that are under way at one endpoint. */
export interface RequestsUnderWay {
  /** Resolves when the endpoint has left, and all that was under way then is through. */
  readonly finished: Promise<void>;
  cutOff(): void;
}

/** A mounted application has come to one endpoint: for the listener it is a single arrival, that stays. */
export class MountArrival implements Arrival {
  readonly kind = 'request';
  readonly remote: Remote = { url: 'http:' };
  readonly underWay: RequestsUnderWay;
  /** The listener does not want it. */
  isRefused = false;

  constructor(underWay: RequestsUnderWay) {
    this.underWay = underWay;
  }

  destroy(): void {
    this.isRefused = true;
  }
}

/** Stands for all requests of a mounted application at one endpoint: the reactor waits for it as for a connection. */
export class MountScope implements RequestScope {
  readonly settings: Settings;
  readonly isIdle = true;
  listIndex = -1;
  readonly #host: RequestHost;
  readonly #arrival: MountArrival;
  readonly #origin: SessionOrigin;
  #departed = false;

  constructor(host: RequestHost, settings: Settings, arrival: MountArrival, origin: SessionOrigin) {
    this.#host = host;
    this.settings = settings;
    this.#arrival = arrival;
    this.#origin = origin;
  }

  open(): void {
    void this.#arrival.underWay.finished.then(() => this.#depart());
  }

  /** The listener has left before: it is over when it is over. */
  shutdown(): Promise<void> {
    return Promise.resolve();
  }

  finishNow(_reason: CloseReason): void {
    this.#arrival.underWay.cutOff();
    this.#depart();
  }

  #depart(): void {
    if (this.#departed) return;
    this.#departed = true;
    this.#origin.onConnectionOver(this.#arrival);
    this.#host.onRequestScopeEnded(this);
  }
}
