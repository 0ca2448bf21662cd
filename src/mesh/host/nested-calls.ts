import { AsyncLocalStorage } from 'node:async_hooks';
import type { Link, Body } from '../../wire/link/types.js';
import type { BootMessage } from '../../wire/link/protocol.js';
import { publish } from '../../diagnostics.js';
import { asError, WorkerNotFoundError } from '../../errors.js';
import { NestedCaller } from '../../tasks/nested/nested-calls.js';
import type { Call, CallSettings } from '../../workers/call/call.js';
import type { Belonging, Owner } from '../../workers/call/owner.js';
import type { Directory, NestedRoute } from '../../workers/process/nested-calls.js';
import { RelayedCall } from './relayed-call.js';

type Method = (input: unknown, options: object) => unknown;

/** A call's place in its owner's list: aborts what the call is given as its signal. */
class Abortion implements Belonging {
  elder: Belonging | undefined;
  younger: Belonging | undefined;
  readonly #controller = new AbortController();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }
}

/**
 * Calls that tasks of a remote caller make to other workers. They go back to the caller's application, as they go to the master on one
 * machine: its queues, proxies, keys and placements are those that count.
 */
export class RelayedNestedCalls implements Directory {
  readonly #upstream: NestedCaller;
  readonly #workers: BootMessage['workers'];
  /** Number of the relayed call in whose task a call is made. */
  readonly #parents = new AsyncLocalStorage<number>();
  readonly #clients = new Map<string, Record<string, Method>>();

  constructor(link: Link, workers: BootMessage['workers']) {
    this.#workers = workers;
    this.#upstream = new NestedCaller({
      link,
      workers,
      onUncaughtError: error => publish('hook.error', { hook: 'event of a nested call', error: asError(error) }),
      onSent: () => {},
      trace: () => this.#parents,
    });
  }

  lookUp(worker: string, key: string | undefined): NestedRoute | undefined {
    if (!this.#workers.some(({ name }) => name === worker)) return undefined;
    return {
      call: (task, input, settings, owner, parent) => this.#call(worker, key, task, input, settings, owner, parent),
      ask: (input, settings, owner, parent) => this.#call(worker, key, 'ask', input, settings, owner, parent),
    };
  }

  message(kind: number, id: number, arg: number, body: Body): void {
    this.#upstream.message(kind, id, arg, body);
  }

  close(): void {
    this.#upstream.close();
  }

  #call(
    worker: string,
    key: string | undefined,
    task: string,
    input: unknown,
    settings: CallSettings | undefined,
    owner: Owner,
    parent: Call | undefined,
  ): unknown {
    const method = this.#client(worker, key)[task];
    if (!method) return Promise.reject(new WorkerNotFoundError(worker, key, `it has no task ${task}`));
    const abortion = new Abortion();
    owner.add(abortion);
    const options = { ...settings, signal: abortion.signal, on: this.#listeners(worker, task, owner) };
    const make = (): unknown => method(input, options);
    const result = parent instanceof RelayedCall ? this.#parents.run(parent.number, make) : make();
    if (result instanceof Promise) {
      const forget = (): void => owner.delete(abortion);
      result.then(forget, forget);
    }
    return result;
  }

  /** Listeners that send events of the call to its caller. */
  #listeners(worker: string, task: string, owner: Owner): Record<string, (payload: unknown) => unknown> | undefined {
    const names = new Map(this.#workers.find(({ name }) => name === worker)?.events).get(task);
    if (!names || !owner.hooks.onEvent) return undefined;
    const from = { worker, key: undefined, task, tag: undefined };
    return Object.fromEntries(names.map(name => [name, payload => owner.hooks.onEvent!(Object, name, payload, from)]));
  }

  #client(worker: string, key: string | undefined): Record<string, Method> {
    const id = `${worker}\n${key ?? ''}`;
    let client = this.#clients.get(id);
    if (!client) this.#clients.set(id, (client = this.#upstream.client(worker, key) as Record<string, Method>));
    return client;
  }
}
