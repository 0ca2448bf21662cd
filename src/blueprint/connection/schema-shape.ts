import type { z } from 'zod';
import { isZod, type ZodSchema } from '../../schema/zod-issues.js';

type Def<T> = T & z.core.$ZodTypeDef;
/** Kinds of zod schemas that take what the schema within takes, and perhaps nothing. */
const WRAPPERS: ReadonlySet<string> = new Set(['optional', 'nullable', 'readonly', 'nonoptional', 'default', 'prefault', 'catch']);

/** The schema that looks first at a value: behind defaults, pipes and transforms. */
function innermost(schema: ZodSchema): ZodSchema {
  let inner = schema;
  for (;;) {
    const { def } = inner._zod;
    if (WRAPPERS.has(def.type)) inner = (def as Def<{ readonly innerType: ZodSchema }>).innerType;
    else if (def.type === 'pipe') inner = (def as z.core.$ZodPipeDef).in;
    else return inner;
  }
}

/** The kind of a zod schema, 'object' or 'string' for instance; undefined for schemas of other libraries. */
export function kindOfSchema(schema: object): string | undefined {
  return isZod(schema) ? innermost(schema)._zod.def.type : undefined;
}

/** The schemas of an object schema's properties; undefined where they cannot be seen: another library, another kind of schema. */
export function propertiesOf(schema: object): Readonly<Record<string, ZodSchema>> | undefined {
  if (!isZod(schema)) return undefined;
  const { def } = innermost(schema)._zod;
  return def.type === 'object' ? (def as z.core.$ZodObjectDef).shape : undefined;
}

/** The properties of an object schema that take lists. */
export function listsOf(schema: object): ReadonlySet<string> {
  const properties = Object.entries(propertiesOf(schema) ?? {});
  return new Set(properties.flatMap(([name, property]) => (['array', 'tuple', 'set'].includes(kindOfSchema(property)!) ? [name] : [])));
}
