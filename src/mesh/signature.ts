import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { TaskBlueprint, WorkerBlueprint } from '../blueprint/types.js';
import { isSchema } from '../schema.js';

/** Digests of the schemas of each task, by task and role: `evaluate.input`; a task itself by its name. Both sides must agree on them. */
export type Signature = Readonly<Record<string, string>>;

const DIGITS = 12;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, DIGITS);
}

/** A schema as text that is equal for equal schemas. Refinements and schemas of libraries without JSON Schema count by their kind alone. */
function textOf(schema: unknown): string {
  try {
    const as = (io: 'input' | 'output'): unknown => z.toJSONSchema(schema as z.ZodType, { unrepresentable: 'any', cycles: 'ref', io });
    return JSON.stringify([as('input'), as('output')]);
  } catch {
    return isSchema(schema) ? schema['~standard'].vendor : 'none';
  }
}

function* rolesOf({ name, idempotent, yields, schemas = {} }: TaskBlueprint): Generator<[string, string]> {
  yield [name, digest(`${idempotent ? 'idempotent' : 'once'} ${yields ? 'stream' : 'answer'}`)];
  for (const [role, schema] of Object.entries(schemas)) if (schema !== undefined) yield [`${name}.${role}`, digest(textOf(schema))];
}

const known = new WeakMap<WorkerBlueprint['tasks'], Signature>();

export function signatureOf({ tasks }: Pick<WorkerBlueprint, 'tasks'>): Signature {
  let signature = known.get(tasks);
  if (!signature) known.set(tasks, (signature = Object.fromEntries([...tasks.values()].flatMap(task => [...rolesOf(task)]))));
  return signature;
}

/** The first thing in which a host's tasks differ from those that a caller knows; undefined: it can serve them. */
export function differenceOf(ours: Signature, theirs: Signature): string | undefined {
  const tasks = Object.keys(ours).filter(name => !name.includes('.'));
  const missing = tasks.find(task => !Object.hasOwn(theirs, task));
  if (missing !== undefined) return `it has no task '${missing}'`;
  for (const task of tasks) {
    const roles = new Set([...Object.keys(ours), ...Object.keys(theirs)].filter(name => name === task || name.startsWith(`${task}.`)));
    for (const role of roles) {
      if (ours[role] === theirs[role]) continue;
      const what =
        role === task ? 'is declared in another way (idempotent, or a stream)' : `has another schema for ${role.slice(task.length + 1)}`;
      return `its task '${task}' ${what}`;
    }
  }
  return undefined;
}
