import { z } from 'zod';
import { checkGiven, size } from './option-rules.js';
import { toBytes, type Size } from './units.js';
import {
  classLost,
  issuesOf,
  firstIssues,
  isSmall,
  isZod,
  MOST_ISSUES,
  partAt,
  runUntilIssue,
  type FoundIssues,
  type ZodSchema,
} from './schema/zod-issues.js';

/** Standard Schema v1: what zod, valibot, arktype and others implement. Wherever a schema is taken, any of them will do. */
export interface Schema<I = unknown, O = I> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    /** Checks a value: `{ value }`, or `{ issues }`. One that answers with a promise is refused. */
    // oxlint-disable-next-line typescript/no-explicit-any -- the libraries' second parameter differs
    readonly validate: (value: unknown, ...rest: any[]) => unknown;
    readonly types?: { readonly input: I; readonly output: O } | undefined;
  };
}

// oxlint-disable-next-line typescript/no-explicit-any -- a bound for inference, never a value
export type AnySchema = Schema<any, any>;
type TypesOf<S> = S extends { readonly '~standard': { readonly types?: infer T } } ? NonNullable<T> : never;
/** Type of a schema's input. */
export type SchemaIn<S> = TypesOf<S> extends { readonly input: infer I } ? I : never;
/** Type of a schema's output. */
export type SchemaOut<S> = TypesOf<S> extends { readonly output: infer O } ? O : never;

/** Why a value was refused. */
export interface Refused extends FoundIssues {
  /** The schema itself failed, so a schema behind it must not be tried in its place. */
  readonly broken?: true;
}

/** Result of a validator: the parsed value, or its issues. */
export type Verdict = { readonly value: unknown; readonly issues?: undefined } | Refused;

/** A compiled schema: never throws, never waits. */
export type Validator = (value: unknown) => Verdict;

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string | undefined;
  readonly expected?: unknown;
}

/** The first ten, as plain objects, and how many there are. */
function refused(all: readonly StandardIssue[], value: unknown): Refused {
  const issues = all.slice(0, MOST_ISSUES).map(issue => {
    const path = issue.path?.map(part => (typeof part === 'object' ? part.key : part));
    return { message: issue.message + classLost(issue, partAt(value, path ?? [])), path };
  });
  return all.length > MOST_ISSUES ? { issues, count: all.length } : { issues };
}

/**
 * Zod can turn a schema into straight-line code, five times as fast, which says no more than whether a value fits. Undefined where it
 * cannot: recursive schemas, some features, and where code generation is forbidden.
 */
function compiled(schema: ZodSchema): ((value: unknown) => unknown) | undefined {
  // Another version of zod may describe its schemas in another way.
  const { major, minor, patch } = schema._zod.version;
  const ours = z.core.version;
  if (major !== ours.major || minor !== ours.minor || patch !== ours.patch) return undefined;
  try {
    return z.core.compileFn(schema);
  } catch {
    return undefined;
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

const ASYNCHRONOUS = 'the schema is asynchronous: only schemas that answer at once can be used here';

function broken(message: string): Verdict {
  return { issues: [{ message }], broken: true };
}

/** Some libraries recurse, or spread an array into arguments: their stack overflows are no mistake of the sender. */
function brokenBy(error: unknown): Verdict {
  if (error instanceof z.core.$ZodAsyncError) return broken(ASYNCHRONOUS);
  if (error instanceof RangeError) return broken('the value is too large or too deep for its schema');
  return broken(`the schema threw: ${error instanceof Error ? error.message : String(error)}`);
}

function asked(schema: AnySchema, value: unknown): Verdict {
  const result = schema['~standard'].validate(value) as { value?: unknown; issues?: readonly StandardIssue[] } | PromiseLike<unknown>;
  if ('then' in result && typeof result.then === 'function') {
    result.then(undefined, () => {});
    return broken(ASYNCHRONOUS);
  }
  const { issues } = result as { issues?: readonly StandardIssue[] };
  return issues ? refused(issues, value) : (result as { value: unknown });
}

/** Zod looks for every mistake of a value, at some microseconds each: in a large one the search is ours, and ends early. */
function zodValidator(schema: AnySchema & ZodSchema): Validator {
  const fast = compiled(schema);
  return value => {
    try {
      if (fast) {
        const fitting = fast(value);
        if (fitting !== z.INVALID) return { value: fitting };
        if (isSmall(value)) return asked(schema, value);
        const found = firstIssues(schema, value);
        if (found) return found;
      } else if (!isSmall(value)) {
        const result = runUntilIssue(schema, value);
        if (result.issues.length === 0) return { value: result.value };
        return firstIssues(schema, value) ?? { issues: issuesOf(result.issues) };
      }
      return asked(schema, value);
    } catch (error) {
      return brokenBy(error);
    }
  };
}

/**
 * Compiles a schema once; what comes back is what the hot path calls. Of what is wrong with a value the first ten issues are kept.
 * A schema that answers with a promise, or throws, is broken: an issue, whatever the value.
 */
export function toValidator(schema: AnySchema): Validator {
  if (isZod(schema)) return zodValidator(schema);
  return value => {
    try {
      return asked(schema, value);
    } catch (error) {
      return brokenBy(error);
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
