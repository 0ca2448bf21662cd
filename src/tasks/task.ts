import { aroundsOf } from '../blueprint/arounds.js';
import type { TaskBlueprint, WorkerBlueprint } from '../blueprint/types.js';
import { BoundaryError, UsageError } from '../errors.js';
import { refusalOf, type Tried } from '../schema/refusal.js';
import type { Validator } from '../schema.js';
import type { BootMessage } from '../wire/link/protocol.js';
import { insideArounds } from './around-task.js';

type Method = (this: object, input: unknown, context?: unknown) => unknown;

/** A task as the runtime calls it: the method taken off the instance once, and the validators that are to run on this side. */
export interface RunnableTask {
  readonly name: string;
  readonly input: Validator | undefined;
  /** Only where both sides check. */
  readonly output: Validator | undefined;
  readonly yields: Validator | undefined;
  readonly events: ReadonlyMap<string, Validator>;
  readonly checkEvents: boolean;
  readonly receives: Validator | undefined;
  readonly isStream: boolean;
  /** The method takes a context. */
  readonly context: boolean;
  readonly softTimeout: number;
  invoke(input: unknown, context: unknown): unknown;
  /** Its last call took less than a millisecond: its calls are marked in groups. */
  isQuick: boolean;
}

/**
 * Whether a method looks at its second parameter. A wrapper that passes everything on has none in its `length`, so where the parameters
 * cannot be counted the answer is yes: a context made for nothing is dear, one that is missing is a bug.
 */
export function looksAtContext(method: (...args: never[]) => unknown): boolean {
  if (method.length >= 2) return true;
  const text = Function.prototype.toString.call(method);
  if (/\barguments\b|\[native code\]/.test(text)) return true;
  let depth = 0;
  for (let i = text.indexOf('('); i >= 0 && i < text.length; i++) {
    const char = text[i]!;
    if (char === '(' || char === '[' || char === '{') depth++;
    else if (char === ')' || char === ']' || char === '}') depth--;
    else if (depth === 1 && (char === ',' || text.startsWith('...', i))) return true;
    if (depth === 0) return false;
  }
  return false;
}

function methodOf(cls: object, name: PropertyKey): Method {
  return (cls as { readonly prototype: Record<PropertyKey, Method> }).prototype[name]!;
}

/** For each task, in the order of HELLO, whether its calls bring a context. `replaced`: another object stands for the instance. */
export function contextsOf(blueprint: WorkerBlueprint, replaced = false): boolean[] {
  return [...blueprint.tasks.values()].map(
    task =>
      replaced ||
      task.receives !== undefined ||
      task.events.size > 0 ||
      aroundsOf(blueprint.arounds, 'task', task.name).length > 0 ||
      looksAtContext(methodOf(blueprint.cls, task.name)),
  );
}

/** Whether a method of the mailbox looks at the context. */
export function mailContext({ cls, mailbox, arounds }: WorkerBlueprint, replaced = false): boolean {
  return mailbox.some(({ key }) => replaced || aroundsOf(arounds, 'task', key).length > 0 || looksAtContext(methodOf(cls, key)));
}

/** A method of the instance. The object that a test puts in its place may lack some: calling one is an error then. */
function ownMethod(instance: object, worker: string, name: PropertyKey): Method {
  const method = (instance as Record<PropertyKey, Method | undefined> | undefined)?.[name];
  if (typeof method === 'function') return method;
  return () => {
    throw new UsageError(`what overrides ${worker} has no method ${String(name)}(): the test calls it, so write it`);
  };
}

const NO_EVENTS: ReadonlyMap<string, Validator> = new Map();

/** The tasks of one worker instance, in the order in which CALL counts them. */
export function runnableTasks(
  blueprint: WorkerBlueprint,
  instance: object,
  boot: Pick<BootMessage, 'key' | 'validate' | 'softTimeout'>,
  replaced = false,
): RunnableTask[] {
  const contexts = contextsOf(blueprint, replaced);
  return [...blueprint.tasks.values()].map((task, index) => runnable(blueprint, task, instance, boot, contexts[index]!));
}

function runnable(
  blueprint: WorkerBlueprint,
  task: TaskBlueprint,
  instance: object,
  { key, validate, softTimeout }: Pick<BootMessage, 'key' | 'validate' | 'softTimeout'>,
  context: boolean,
): RunnableTask {
  const own = ownMethod(instance, blueprint.name, task.name);
  const method = insideArounds(blueprint, { key, task: task.name, method: task.name }, own, looksAtContext(own));
  const receiving = validate !== 'off';
  const sending = validate === 'both';
  return {
    name: task.name,
    input: receiving ? (task.input ?? nothing) : undefined,
    output: sending ? task.output : undefined,
    yields: sending ? task.yields : undefined,
    events: task.events,
    checkEvents: sending,
    receives: receiving ? task.receives : undefined,
    isStream: task.yields !== undefined,
    context,
    softTimeout: task.softTimeout ?? softTimeout,
    // Called with one argument where that is all there is: what a default parameter sees must not depend on us.
    invoke: context ? (input, given) => method.call(instance, input, given) : input => method.call(instance, input),
    isQuick: false,
  };
}

const TAKES_NOTHING = { issues: [{ message: 'it takes nothing: declare what it takes with @Task({ input })' }] };

/** The schema of a task that declares no input. */
const nothing: Validator = value => (value === undefined ? { value } : TAKES_NOTHING);

/** The mailbox as a task: the first `@OnData` whose schema accepts the message takes it. */
export function mailTask(
  blueprint: WorkerBlueprint,
  instance: object,
  { key: started, validate, softTimeout }: Pick<BootMessage, 'key' | 'validate' | 'softTimeout'>,
  replaced = false,
): RunnableTask | undefined {
  if (blueprint.mailbox.length === 0) return undefined;
  const routes = blueprint.mailbox.map(({ key, validate: validator }) => {
    const own = ownMethod(instance, blueprint.name, key);
    const method = insideArounds(blueprint, { key: started, task: 'ask', method: key }, own, true);
    return { key, method, validator: validate === 'off' ? undefined : validator };
  });
  return {
    name: 'ask',
    input: undefined,
    output: undefined,
    yields: undefined,
    events: NO_EVENTS,
    checkEvents: false,
    receives: undefined,
    isStream: false,
    context: mailContext(blueprint, replaced),
    softTimeout,
    invoke: (data, context) => {
      const tried: Tried[] = [];
      for (const { key, method, validator } of routes) {
        const verdict = validator?.(data) ?? { value: data };
        if (!verdict.issues) return method.call(instance, verdict.value, context);
        tried.push({ method: key, refused: verdict });
        if (verdict.broken) break;
      }
      throw new BoundaryError({ worker: blueprint.name, task: 'ask', direction: 'input', ...refusalOf(tried) });
    },
    isQuick: false,
  };
}
