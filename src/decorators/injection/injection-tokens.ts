import type { Ctor } from '../ctor.js';

/** Which client `@InjectWorker` asks for. */
export interface WorkerReference {
  readonly worker: Ctor | string;
  readonly key: string | undefined;
  readonly owner: 'app' | undefined;
}

interface Interned {
  readonly byReference: Map<Ctor | string, Map<string, symbol>>;
  readonly byToken: Map<symbol, WorkerReference>;
}

/** Shared by copies of the package: equal references have one token. */
const TOKENS: Interned = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.worker-tokens')] ??= {
  byReference: new Map(),
  byToken: new Map(),
}) as Interned;

/** The tsyringe token of `@InjectOptions`. */
export const OPTIONS_TOKEN: unique symbol = Symbol.for('packet-ts.options');

/** The token under which tsyringe finds a worker client: the same one for the same worker, key and owner. */
export function workerTokenOf({ worker, key, owner }: WorkerReference): symbol {
  let variants = TOKENS.byReference.get(worker);
  if (!variants) TOKENS.byReference.set(worker, (variants = new Map()));
  const variant = JSON.stringify([key ?? null, owner ?? null]);
  let token = variants.get(variant);
  if (token === undefined) {
    const name = typeof worker === 'function' ? worker.name : worker;
    token = Symbol(`WorkerClient<${name}${key === undefined ? '' : `[${key}]`}>`);
    variants.set(variant, token);
    TOKENS.byToken.set(token, Object.freeze({ worker, key, owner }));
  }
  return token;
}

/** The reference behind a token of {@link workerTokenOf}. */
export function workerReferenceOf(token: unknown): WorkerReference | undefined {
  return typeof token === 'symbol' ? TOKENS.byToken.get(token) : undefined;
}

/** Every worker client that some class of this process asks for: what a container registers. */
export function workerTokens(): Iterable<readonly [token: symbol, reference: WorkerReference]> {
  return TOKENS.byToken;
}
