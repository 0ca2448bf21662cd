import type { AroundFunction, CallAround } from '../decorators/around-types.js';
import { publish } from '../diagnostics.js';
import { asError } from '../errors.js';
import { isObject } from '../option-rules.js';
import { runAround } from './chain.js';

type Call = (input?: unknown, options?: unknown) => unknown;

/** The worker that a client is for. */
export interface CalledWorker {
  readonly app: string;
  readonly worker: string;
  readonly key: string | undefined;
  /** Its tasks, and whether each answers with a stream. */
  readonly tasks: Iterable<readonly [name: string, streams: boolean]>;
}

interface Settings {
  readonly signal?: AbortSignal | undefined;
  readonly key?: string | undefined;
  readonly carrier?: Readonly<Record<string, string>> | undefined;
}

/** The options of a call, where they can be looked at: what is wrong with them the client says. */
function settingsIn(options: unknown): Settings | undefined {
  if (options === undefined) return {};
  if (!isObject(options)) return undefined;
  const { signal, carrier } = options as Settings;
  const fits = (signal === undefined || signal instanceof AbortSignal) && (carrier === undefined || isObject(carrier));
  return fits ? options : undefined;
}

async function* itemsOf(result: Promise<unknown>): AsyncGenerator<unknown, void, undefined> {
  yield* (await result) as AsyncIterable<unknown>;
}

/** A stream that is there as soon as the functions around it have let it through. Why they have not, only its reader is told. */
function streamOf(result: Promise<unknown>): AsyncGenerator<unknown, void, undefined> {
  result.catch(() => {});
  return itemsOf(result);
}

/** One method of a client inside the functions. */
function wrapped(fns: readonly AroundFunction[], { worker, key }: CalledWorker, task: string, call: Call): Call {
  return (input, options) => {
    const settings = settingsIn(options);
    if (!settings) return call(input, options);
    const carrier = { ...settings.carrier };
    const context: CallAround = {
      kind: 'call',
      name: `${worker}.${task}`,
      worker,
      key: settings.key ?? key,
      task,
      input,
      signal: settings.signal,
      carrier,
    };
    return runAround(fns, context, signal => {
      const signals = [settings.signal, signal].filter(each => each !== undefined);
      const merged = { ...settings, ...(signals.length > 0 && { signal: signals.length > 1 ? AbortSignal.any(signals) : signals[0] }) };
      return call(input, Object.keys(carrier).length > 0 ? { ...merged, carrier } : merged);
    });
  };
}

/** `tell` has no result: what the functions around it throw is an event. An error that the client throws at once is the caller's mistake. */
function tellAround(fns: readonly AroundFunction[], about: CalledWorker, tell: Call): Call {
  const { app, worker, key } = about;
  return (data, options) => {
    let refused: { readonly error: unknown } | undefined;
    const failed = (error: unknown): void =>
      publish('hook.error', { app, hook: 'Around', worker, key, task: 'tell', error: asError(error) });
    const call = wrapped(fns, about, 'tell', (...args) => {
      try {
        return tell(...args);
      } catch (error) {
        refused = { error };
        throw error;
      }
    });
    try {
      const outcome = call(data, options);
      if (outcome instanceof Promise) outcome.catch(failed);
    } catch (error) {
      if (refused?.error === error) throw error;
      failed(error);
    }
  };
}

/** A client whose calls run inside functions. */
export function aroundClient(client: object, about: CalledWorker, fns: readonly AroundFunction[]): object {
  if (fns.length === 0) return client;
  const facade: Record<string, unknown> = {};
  const methods = client as Record<string, Call>;
  const own = (name: string): Call => methods[name]!.bind(client);
  for (let level: object | null = client; level && level !== Object.prototype; level = Object.getPrototypeOf(level) as object | null) {
    for (const name of Object.getOwnPropertyNames(level)) {
      if (name !== 'constructor' && !Object.hasOwn(facade, name) && typeof methods[name] === 'function') facade[name] = own(name);
    }
  }
  for (const [name, streams] of [...about.tasks, ['ask', false] as const]) {
    const call = wrapped(fns, about, name, own(name));
    const promised = async (input: unknown, options: unknown): Promise<unknown> => call(input, options);
    facade[name] = streams ? (input: unknown, options: unknown) => streamOf(promised(input, options)) : promised;
  }
  facade['tell'] = tellAround(fns, about, own('tell'));
  return facade;
}
