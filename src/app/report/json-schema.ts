import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { isZod } from '../../schema/zod-issues.js';

/** A JSON Schema (2020-12), as OpenAPI 3.1 has them. */
export type JsonSchema = { readonly [keyword: string]: unknown };

const UNKNOWN: JsonSchema = { description: 'described by a schema that gives no JSON Schema' };

/** Writes JSON Schemas for one document: what has a name, or refers to itself, goes to its `components`. */
export class JsonSchemas {
  readonly components: Record<string, JsonSchema> = {};

  /** @param io what the schema takes, or what it gives. */
  of(schema: object, io: 'input' | 'output'): JsonSchema {
    if (!isZod(schema)) return UNKNOWN;
    let written: Record<string, unknown>;
    try {
      written = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    } catch {
      return UNKNOWN;
    }
    const { $schema: _dialect, $defs: named = {}, ...root } = written;
    const names = new Map<string, string>();
    for (const [name, definition] of Object.entries(named as Record<string, JsonSchema>))
      names.set(`#/$defs/${name}`, this.#free(name, definition));
    if (!refersToRoot(root)) return this.#keep(root, named as Record<string, JsonSchema>, names);
    const name = this.#free('Schema', root);
    names.set('#', name);
    this.components[name] = this.#keep(root, named as Record<string, JsonSchema>, names);
    return { $ref: `#/components/schemas/${name}` };
  }

  /** A name that no other schema has; one that is the same is shared. */
  #free(name: string, definition: JsonSchema): string {
    const base = name.replace(/[^\w.-]/g, '_');
    let free = base;
    for (let n = 2; free in this.components && !isDeepStrictEqual(this.components[free], definition); n++) free = `${base}_${n}`;
    return free;
  }

  #keep(root: JsonSchema, named: Readonly<Record<string, JsonSchema>>, names: ReadonlyMap<string, string>): JsonSchema {
    for (const [name, definition] of Object.entries(named)) this.components[names.get(`#/$defs/${name}`)!] = renamed(definition, names);
    return renamed(root, names);
  }
}

function refersToRoot(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, part]) => (key === '$ref' && part === '#') || refersToRoot(part));
}

/** A schema whose references point into the document. */
function renamed(schema: JsonSchema, names: ReadonlyMap<string, string>): JsonSchema {
  const rename = (value: unknown, key: string): unknown => {
    if (key === '$ref' && typeof value === 'string' && names.has(value)) return `#/components/schemas/${names.get(value)!}`;
    if (Array.isArray(value)) return value.map(part => rename(part, ''));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, rename(part, name)]));
  };
  return rename(schema, '') as JsonSchema;
}
