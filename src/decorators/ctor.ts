/** Any class, whatever its constructor takes. */
// oxlint-disable-next-line typescript/no-explicit-any -- parameters are contravariant: only `any` fits every class
export type Ctor<T = object> = abstract new (...args: any[]) => T;

/** Any function, whatever it takes. */
// oxlint-disable-next-line typescript/no-explicit-any -- the same
export type AnyFunction = (...args: any[]) => unknown;

/** Result of a failed type check, in place of `unknown`: the compiler's message shows the sentence. */
export interface Mismatch<Message extends string> {
  readonly __packet_ts: Message;
}

/** One or several. */
export type OneOrMany<T> = T | readonly T[];

/** The type of a constructor's parameter number `I`. */
export type ParameterAt<C, I extends number> = C extends abstract new (...args: infer A) => unknown ? A[I] : never;

/** True for `any`, which would otherwise pass for everything. */
export type IsAny<T> = 0 extends 1 & T ? true : false;
