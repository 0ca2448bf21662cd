import type { Clock, ClockTimer } from '../../clock.js';
import { publish } from '../../diagnostics.js';
import type { Acceptor, Arrival, Bound, BoundAddress, Remote } from '../../endpoints/endpoint.js';
import { tlsServerOf } from '../../endpoints/tls/tls-server.js';
import { ConnectionClosedError, LimitError, UsageError } from '../../errors.js';
import { Admission, type Refusal } from './admission.js';
import { readCertificate, tlsOf } from './certificate.js';
import { descriptors } from '../../endpoints/descriptors.js';
import { firstMessageDefault, onLimitChange, type ConnectionLimits } from '../../session/limits.js';
import type { Settings } from '../../session/settings.js';
import { countedAs, PendingHandshakes, type PendingHandshakesHost } from './pending-handshakes.js';

/** Settings of the endpoint that a listener uses. */
export interface ListenerSettings extends Pick<Settings, 'target' | 'scheme' | 'limits'> {
  readonly plan: { readonly name: string; readonly app: string };
  /** The address as users wrote it, where `target` is what carries the endpoint's scheme. */
  shown?(address: BoundAddress): BoundAddress;
}

/** A listener as users have it: `reactor.listen(…)` returns it. */
export interface Listening {
  /** Where it listens; port 0 is replaced by the port that was picked. */
  readonly address: BoundAddress;
  /**
   * In numbers (milliseconds, bytes; Infinity is off), to be changed while it runs: a change applies to new connections, and to waits that
   * begin on open ones (for a message, for the kernel). No connection is closed because a limit was lowered.
   */
  readonly limits: ConnectionLimits;
  /** Stops accepting, until `resume()`; open connections live on. */
  suspend(): Promise<void>;
  /** @throws ListenError when the address has been taken meanwhile. */
  resume(): Promise<void>;
  /**
   * Reads certificates and keys again: for handshakes from now on, open connections live on. Files that change are read again by
   * themselves.
   * @throws TlsError when they cannot be used: then those before stay in use. UsageError without `tls:`.
   */
  reloadTls(): Promise<void>;
  /** Stops accepting for good; open connections live on. */
  close(): Promise<void>;
}

/** Takes an accepted connection over. False: its handler could not be made. */
export type TakeOver = (arrival: Arrival) => boolean;

/** How long a listener waits before it looks again whether there are descriptors, and whether its address is free. Milliseconds. */
const LOOK = 250;
const RETRY = 1_000;

/** One listening endpoint: binds, lets connections in or refuses them, and counts. */
export class Listener implements Listening, Acceptor, PendingHandshakesHost {
  readonly settings: ListenerSettings;
  readonly reactor: object;
  readonly #clock: Clock;
  readonly #takeOver: TakeOver;
  readonly #admission: Admission;
  readonly #pendingHandshakes: PendingHandshakes;
  #bound: Bound | undefined;
  #address: BoundAddress | undefined;
  /** The user wants it not to listen. */
  #suspended = false;
  /** Unbound because maxConnections is reached (`whenFull: 'pause'`). */
  #full = false;
  /** Unbound because file descriptors run out (`whenFull: 'pause'`). */
  #scarce = false;
  /** When it is looked again whether it can listen. */
  #retry: ClockTimer | undefined;
  #closed: Promise<void> | undefined;
  /** Binding and unbinding one after the other. */
  #rebinding: Promise<void> = Promise.resolve();

  /** @throws ConfigurationError for address rules that are none. */
  constructor(settings: ListenerSettings, clock: Clock, reactor: object, takeOver: TakeOver) {
    this.settings = settings;
    this.reactor = reactor;
    this.#clock = clock;
    this.#takeOver = takeOver;
    // Checked by the blueprint.
    this.#admission = new Admission(settings.limits, settings.target.options);
    this.#pendingHandshakes = new PendingHandshakes(this, clock, this.#admission);
    // A limit raised while it is full admits the clients that wait.
    onLimitChange(settings.limits, ['maxConnections', 'whenFull'], () => this.#review());
  }

  get address(): BoundAddress {
    if (!this.#address) throw new ConnectionClosedError(`${this.settings.plan.name} does not listen yet`);
    return this.#address;
  }

  /** All of them, where a name stands for several sockets. */
  get addresses(): readonly BoundAddress[] {
    return this.#bound?.addresses ?? [this.address];
  }

  get limits(): ConnectionLimits {
    return this.settings.limits;
  }

  /** Open connections that came in here. */
  get connections(): number {
    return this.#admission.count;
  }

  /** Its socket is a connection, and closes as one. */
  get isConnection(): boolean {
    return this.#bound?.shared === true;
  }

  /** Whether datagrams from there are taken. */
  admits(from: Remote): boolean {
    return this.#admission.refusal(from) === undefined;
  }

  /** @throws ListenError, ConfigurationError for a certificate that cannot be used. */
  bind(): Promise<void> {
    return this.#rebind();
  }

  async #bind(): Promise<void> {
    const { target, scheme, plan } = this.settings;
    await readCertificate(plan.name, target.options);
    // Bound again, it must be found where it was: also when the port was picked.
    const url = this.#address?.url ?? target.url;
    this.#bound = await scheme.listen!({ ...target, url }, this);
    this.#address = this.#bound.address;
    // The kind of an inherited socket is known only now: a port that strangers can reach, or a file.
    if (this.#bound.inherited && target.options['firstMessageTimeout'] === undefined)
      this.limits.firstMessageTimeout = firstMessageDefault(this.#address.url.replace(/:.*$/s, ''));
    publish('listener.open', { app: plan.app, handler: plan.name, address: this.settings.shown?.(this.#address) ?? this.#address });
    const { maxConnections } = this.limits;
    if (maxConnections !== Infinity && maxConnections > descriptors.limit) {
      const message = `maxConnections of ${plan.name} is ${maxConnections}, and this process may open ${descriptors.limit} descriptors: raise them (ulimit -n)`;
      publish('app.warning', { app: plan.app, message });
    }
  }

  accept(arrival: Arrival): void {
    const refusal = this.#closed ? 'closed' : this.#suspended ? 'suspended' : this.#pendingHandshakes.enter(arrival);
    if (refusal !== undefined) {
      const { remote } = arrival;
      arrival.destroy(new LimitError(refusal, `refused: ${refusal}`));
      this.#rejected(refusal, remote);
      return;
    }
    if (descriptors.took(arrival)) {
      this.#pendingHandshakes.leave(arrival);
      const { remote } = arrival;
      const { limit, reserve } = descriptors;
      const error = new LimitError('descriptors', `fewer than ${reserve} of the ${limit} descriptors of this process are free`);
      arrival.destroy(error);
      this.#starved(remote, error);
      return;
    }
    if (!this.#pendingHandshakes.mustWait(arrival)) this.onReady(arrival);
    // A binding that is itself the one connection, as a udp socket, must stay bound.
    if (this.#admission.isFull && this.#bound) this.#review();
  }

  failed(error: Error): void {
    publish('listener.error', { app: this.settings.plan.app, handler: this.settings.plan.name, url: this.#address?.url, error });
  }

  /** Counts a connection that did not come in here and belongs to its class, or says why it is not let in. */
  enter(remote: Remote): Refusal | 'closed' | undefined {
    return this.#closed ? 'closed' : this.#admission.enter(remote);
  }

  /** One of its connections is over. */
  onConnectionOver(arrival: Pick<Arrival, 'remote' | 'peerAddress'>): void {
    this.#admission.leave(countedAs(arrival));
    if (this.isConnection) void this.close();
    if (this.#full) this.#review();
  }

  // ── PendingHandshakesHost ──

  onReady(arrival: Arrival): void {
    if (!this.#takeOver(arrival)) this.onConnectionOver(arrival);
  }

  onRefused(arrival: Arrival, reason: string, error: unknown): void {
    this.#rejected(this.#closed ? 'closed' : reason, arrival.remote, error);
    if (this.#full) this.#review();
  }

  // ── Listening ──

  suspend(): Promise<void> {
    this.#suspended = true;
    return this.#rebind();
  }

  resume(): Promise<void> {
    this.#suspended = false;
    return this.#rebind();
  }

  async reloadTls(): Promise<void> {
    const tls = tlsOf(this.settings.target.options);
    if (!tls) throw new UsageError(`${this.settings.plan.name} has no certificate to read again: it listens without tls:`);
    await tlsServerOf(tls).reload();
  }

  close(): Promise<void> {
    this.#pendingHandshakes.close(new ConnectionClosedError('the listener is closed'));
    this.#retry?.cancel();
    return (this.#closed ??= this.#rebind().then(() => {
      publish('listener.close', { app: this.settings.plan.app, handler: this.settings.plan.name, url: this.#address?.url });
    }));
  }

  #rejected(reason: string, remote: Remote, error?: unknown): void {
    const { app, name: handler } = this.settings.plan;
    publish('listener.reject', { app, handler, url: this.#address?.url, reason, remote, error });
  }

  /** There is hardly a descriptor left: those that are must do for files, dials and commands. */
  #starved(remote: Remote, error: LimitError): void {
    this.#rejected(error.limit, remote, error);
    if (this.limits.whenFull !== 'pause' || this.#scarce) return;
    this.#scarce = true;
    this.#bindOrNot();
  }

  /** Whether it is full has changed. */
  #review(): void {
    const full = this.#admission.isFull && this.limits.whenFull === 'pause';
    if (full === this.#full) return;
    this.#full = full;
    this.#bindOrNot();
  }

  /** By itself it tries again: when binding fails, and when there may be descriptors. */
  #bindOrNot(): void {
    this.#rebind().then(
      () => {
        if (this.#scarce) this.#tryLater(LOOK);
      },
      (error: Error) => {
        this.failed(error);
        this.#tryLater(RETRY);
      },
    );
  }

  #tryLater(delay: number): void {
    if (this.#closed || this.#retry) return;
    const again = (): void => {
      this.#retry = undefined;
      this.#scarce &&= !descriptors.hasRoom;
      this.#bindOrNot();
    };
    // Nothing else may keep the process running meanwhile.
    this.#retry = this.#clock.after(delay, again, true);
  }

  /** Listens or not, as is wanted when its turn comes. */
  #rebind(): Promise<void> {
    const next = this.#rebinding.then(async () => {
      const wanted = !this.#closed && !this.#suspended && !this.#full && !this.#scarce;
      const bound = this.#bound;
      if (!wanted && bound) {
        if (bound.inherited && !this.#closed) return;
        this.#bound = undefined;
        await bound.close();
      } else if (wanted && !this.#bound) {
        await this.#bind();
      }
    });
    this.#rebinding = next.catch(() => {});
    return next;
  }
}
