import { z } from 'zod';
import type { Issue } from '../errors.js';

/** Most issues of one value that an error lists. */
export const MOST_ISSUES = 10;
/** Issues at which the search through a large value ends. */
const COUNTED = 1_000;
/** Parts of a large value at which the search ends. */
const VISITED = 5_000;
/** Parts of a value up to which zod may collect whatever it finds: it takes some microseconds an issue. */
const SMALL = 256;

/** A zod schema of any copy of zod 4, also of `zod/mini`. */
export type ZodSchema = z.core.$ZodType;
type Raw = z.core.$ZodRawIssue;

export interface FoundIssues {
  /** The first {@link MOST_ISSUES}. */
  readonly issues: readonly Issue[];
  /** How many were found; default: those. */
  readonly count?: number | undefined;
  /** There may be more than `count`. */
  readonly more?: boolean | undefined;
}

/** Classes whose instances arrive as instances. */
const KEPT = /^(?:Date|RegExp|Map|Set|Buffer|DataView|(?:Shared)?ArrayBuffer|(?:Big)?(?:Ui|I)nt\d+(?:Clamped)?Array|Float\d+Array)$/;
const AS_PLAIN =
  ' (an instance of a class arrives as plain data, without its class: take it with z.object(), and make the instance of that)';
const AS_ERROR = ' (an error whose class is not registered with @Transferable() arrives as Error)';

/** An issue of zod, as far as `z.instanceof()` is concerned: it says the name of the class, all other schemas a word in lower case. */
interface TypeIssue {
  readonly code?: string | undefined;
  readonly expected?: unknown;
}

/** Why a value is no instance of the class that the schema wants, to be put behind the issue's message; '' for other issues. */
export function classLost({ code, expected }: TypeIssue, value: unknown): string {
  if (code !== 'invalid_type' || typeof expected !== 'string' || !/^[A-Z_$]/.test(expected) || KEPT.test(expected)) return '';
  if (typeof value !== 'object' || value === null) return '';
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto === Object.prototype || proto === null) return AS_PLAIN;
  return proto === Error.prototype ? AS_ERROR : '';
}

/** The part of a value that an issue is about. */
export function partAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let part = value;
  for (const key of path) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, key)) return undefined;
    part = (part as Record<PropertyKey, unknown>)[key];
  }
  return part;
}

export function isZod(schema: object): schema is ZodSchema {
  return '_zod' in schema && typeof (schema as ZodSchema)._zod.run === 'function';
}

/** True for a value of {@link SMALL} parts at most: then it has few issues. */
export function isSmall(value: unknown): boolean {
  const waiting: unknown[] = [value];
  let seen = 0;
  while (waiting.length > 0) {
    const part = waiting.pop();
    seen++;
    if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) continue;
    const size = Array.isArray(part) ? part.length : part instanceof Map || part instanceof Set ? part.size : 0;
    if (size + waiting.length + seen > SMALL) return false;
    if (part instanceof Map || part instanceof Set) {
      waiting.push(...(part as Iterable<unknown>));
      continue;
    }
    const keys = Object.keys(part);
    if (keys.length + waiting.length + seen > SMALL) return false;
    for (const key of keys) waiting.push((part as Record<string, unknown>)[key]);
  }
  return true;
}

/**
 * Parses with a zod schema and stops at the first thing that does not fit: the time for a refusal does not grow with the number
 * of mistakes. Throws where the schema is asynchronous, as zod does.
 */
export function runUntilIssue(schema: ZodSchema, value: unknown): { readonly value: unknown; readonly issues: readonly Raw[] } {
  const context: z.core.ParseContextInternal = { async: false, abortEarly: true };
  const result = schema._zod.run({ value, issues: [] }, context);
  if (result instanceof Promise) throw new z.core.$ZodAsyncError();
  return result;
}

/** Raw issues of zod, with their messages. */
export function issuesOf(raw: readonly Raw[], path: readonly PropertyKey[] = []): Issue[] {
  return raw.map(issue => {
    const { message, path: within } = z.core.util.finalizeIssue(issue, {}, z.config());
    return { message: message + classLost(issue, issue.input), path: [...path, ...within] };
  });
}

type Def<T> = T & z.core.$ZodTypeDef;
type Wrapper = Def<{ readonly innerType: ZodSchema }>;
/** Kinds of schemas that look at the same value as the schema within. */
const WRAPPERS: ReadonlySet<string> = new Set(['optional', 'nullable', 'readonly', 'nonoptional', 'default', 'prefault']);

/**
 * Looks for the first issues of a large value, part by part: zod itself would finish each list before it says what is wrong with it.
 * It follows lists, objects, records, tuples, maps, sets, and what wraps them; any other schema is asked for its first issue.
 */
class IssueSearch {
  readonly issues: Issue[] = [];
  count = 0;
  #visited = 0;

  get isOver(): boolean {
    return this.count >= COUNTED || this.#visited >= VISITED;
  }

  visit(schema: ZodSchema, value: unknown, path: readonly PropertyKey[]): void {
    if (this.isOver) return;
    this.#visited++;
    const before = this.count;
    const { def } = schema._zod;
    if (WRAPPERS.has(def.type) && value !== undefined && value !== null) {
      this.visit((def as Wrapper).innerType, value, path);
    } else if (def.type === 'pipe') {
      this.visit((def as z.core.$ZodPipeDef).in, value, path);
    } else if (def.type === 'lazy') {
      this.visit((def as z.core.$ZodLazyDef).getter(), value, path);
    } else if (def.type === 'intersection') {
      this.visit((def as z.core.$ZodIntersectionDef).left, value, path);
      this.visit((def as z.core.$ZodIntersectionDef).right, value, path);
    } else if (def.type === 'union') {
      this.#union(schema, def as z.core.$ZodUnionDef, value, path);
    } else {
      this.#parts(def, value, path);
    }
    // Its parts fit, or it has none: it is about the whole, as its length, or about keys that it must not have.
    if (this.count === before && !this.isOver) this.#found(issuesOf(runUntilIssue(schema, value).issues, path));
  }

  #parts(def: z.core.$ZodTypeDef, value: unknown, path: readonly PropertyKey[]): void {
    if (def.type === 'array' && Array.isArray(value)) {
      const { element } = def as z.core.$ZodArrayDef;
      this.#each(value.entries(), () => element, path);
    } else if (def.type === 'tuple' && Array.isArray(value)) {
      const { items, rest } = def as z.core.$ZodTupleDef;
      this.#each(value.entries(), i => items[i as number] ?? rest ?? undefined, path);
    } else if (def.type === 'set' && value instanceof Set) {
      const { valueType } = def as z.core.$ZodSetDef;
      this.#each([...value].entries(), () => valueType, path);
    } else if (def.type === 'map' && value instanceof Map) {
      const { keyType, valueType } = def as z.core.$ZodMapDef;
      const keys = [...value.keys()];
      this.#each(keys.entries(), () => keyType, path);
      this.#each([...value.values()].entries(), () => valueType, path);
    } else if (def.type === 'object' && isRecord(value)) {
      const { shape } = def as z.core.$ZodObjectDef;
      this.#each(
        Object.keys(shape).map(key => [key, value[key]]),
        key => shape[key as string],
        path,
      );
    } else if (def.type === 'record' && isRecord(value)) {
      const { valueType } = def as z.core.$ZodRecordDef;
      for (const key of Object.keys(value)) {
        if (this.isOver) return;
        this.visit(valueType, value[key], [...path, key]);
      }
    }
  }

  #each(
    parts: Iterable<readonly [PropertyKey, unknown]>,
    schemaOf: (key: PropertyKey) => ZodSchema | undefined,
    path: readonly PropertyKey[],
  ): void {
    for (const [key, part] of parts) {
      if (this.isOver) return;
      const schema = schemaOf(key);
      if (schema) this.visit(schema, part, [...path, key]);
    }
  }

  /** One issue where no option fits, as zod tells it; of the option that is named by its discriminator, its own issues. */
  #union(schema: ZodSchema, def: z.core.$ZodUnionDef, value: unknown, path: readonly PropertyKey[]): void {
    const { options } = def;
    const { discriminator } = def as Def<z.core.$ZodUnionDef & { readonly discriminator?: string }>;
    if (discriminator !== undefined && isRecord(value)) {
      const named = options.find(option => option._zod.propValues?.[discriminator]?.has(value[discriminator] as z.core.util.Primitive));
      if (named) return this.visit(named, value, path);
    }
    const fits = options.some(option => {
      const search = new IssueSearch();
      search.#visited = this.#visited;
      search.visit(option, value, path);
      this.#visited = search.#visited;
      return search.count === 0;
    });
    if (!fits) this.#found(issuesOf([{ code: 'invalid_union', errors: [], input: value, inst: schema as z.core.$ZodUnion }], path));
  }

  #found(issues: readonly Issue[]): void {
    this.count += issues.length;
    this.issues.push(...issues.slice(0, Math.max(0, MOST_ISSUES - this.issues.length)));
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first issues of a large value that the schema does not accept; undefined: it does accept it. */
export function firstIssues(schema: ZodSchema, value: unknown): FoundIssues | undefined {
  const search = new IssueSearch();
  search.visit(schema, value, []);
  if (search.count > 0) return { issues: search.issues, count: search.count, more: search.isOver };
  const { issues } = runUntilIssue(schema, value);
  return issues.length === 0 ? undefined : { issues: issuesOf(issues.slice(0, MOST_ISSUES)), count: issues.length, more: true };
}
