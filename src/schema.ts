import { z } from 'zod';
import type { Issue } from './errors.js';
import { checkGiven, size } from './option-rules.js';
import { toBytes, type Size } from './units.js';

/** Standard Schema v1: what zod, valibot, arktype and others implement. Wherever a schema is taken, any of them will do. */
export interface Schema<I = unknown, O = I> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    // oxlint-disable-next-line typescript/no-explicit-any -- the libraries' second parameter differs
    readonly validate: (value: unknown, ...rest: any[]) => unknown;
    readonly types?: { readonly input: I; readonly output: O } | undefined;
  };
}

// oxlint-disable-next-line typescript/no-explicit-any -- a bound for inference, never a value
export type AnySchema = Schema<any, any>;
type TypesOf<S> = S extends { readonly '~standard': { readonly types?: infer T } } ? NonNullable<T> : never;
/** What a schema takes. */
export type SchemaIn<S> = TypesOf<S> extends { readonly input: infer I } ? I : never;
/** What a schema gives. */
export type SchemaOut<S> = TypesOf<S> extends { readonly output: infer O } ? O : never;

/** What a validator answers: the parsed value, or what was wrong. */
export type Verdict =
  | { readonly value: unknown; readonly issues?: undefined }
  /** `broken`: the schema itself is at fault, so that whoever stands behind it must not be asked in its place. */
  | { readonly issues: readonly Issue[]; readonly broken?: true };

/** A compiled schema: never throws, never waits. */
export type Validator = (value: unknown) => Verdict;

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

function plainIssues(issues: readonly StandardIssue[]): readonly Issue[] {
  return issues.map(({ message, path }) => ({ message, path: path?.map(part => (typeof part === 'object' ? part.key : part)) }));
}

/** Zod can turn a schema into straight-line code, five times as fast; where code generation is forbidden it stays as it is. */
function compiled(schema: AnySchema): AnySchema {
  if (schema['~standard'].vendor !== 'zod' || !(schema instanceof z.ZodType)) return schema;
  try {
    return z.compile(schema) as AnySchema;
  } catch {
    return schema;
  }
}

/** True for an object that follows Standard Schema. */
export function isSchema(value: unknown): value is AnySchema {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as Partial<AnySchema>)['~standard']?.validate === 'function'
  );
}

function broken(message: string): Verdict {
  return { issues: [{ message }], broken: true };
}

/**
 * Compiles a schema once; what comes back is what the hot path calls.
 * A schema that answers with a promise, or throws, is broken: an issue, whatever the value.
 */
export function toValidator(schema: AnySchema): Validator {
  const standard = compiled(schema)['~standard'];
  return value => {
    try {
      const result = standard.validate(value) as { value?: unknown; issues?: readonly StandardIssue[] } | PromiseLike<unknown>;
      if ('then' in result && typeof result.then === 'function') {
        result.then(undefined, () => {});
        return broken('the schema is asynchronous: only schemas that answer at once can be used here');
      }
      const { issues } = result as { issues?: readonly StandardIssue[] };
      return issues ? { issues: plainIssues(issues) } : (result as { value: unknown });
    } catch (error) {
      return broken(`the schema threw: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}

/**
 * The schema of binary data: a `Uint8Array` (a `Buffer` is one), at most `max` bytes.
 * @example @Task({ input: bytes({ max: '1mb' }), output: z.string() }) digest(data: Uint8Array) { … }
 */
export function bytes(options?: { max?: Size }): z.ZodType<Uint8Array, Uint8Array> {
  checkGiven('bytes()', options, { max: size });
  const max = options?.max === undefined ? 0 : toBytes(options.max);
  const schema = z.custom<Uint8Array>(value => value instanceof Uint8Array, {
    error: 'expected bytes (a Uint8Array or Buffer)',
    abort: true,
  });
  return max === 0 ? schema : schema.refine(value => value.byteLength <= max, { error: `expected at most ${max} bytes` });
}
