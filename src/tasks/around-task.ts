import { runAround } from '../around/chain.js';
import { aroundsOf } from '../blueprint/arounds.js';
import type { WorkerBlueprint } from '../blueprint/types.js';
import type { TaskContext } from '../decorators/worker/task-types.js';

type Method = (this: object, input: unknown, context?: unknown) => unknown;

/**
 * A method of a worker inside the functions that stand around it; the method itself where there are none.
 * @param task how callers name it: 'ask' for the mailbox
 * @param looks whether the method has a second parameter
 */
export function insideArounds(
  { name: worker, arounds }: Pick<WorkerBlueprint, 'name' | 'arounds'>,
  { key, task, method: member }: { readonly key: string | undefined; readonly task: string; readonly method: PropertyKey },
  method: Method,
  looks: boolean,
): Method {
  const fns = aroundsOf(arounds, 'task', member);
  if (fns.length === 0) return method;
  const about = { kind: 'task', name: `${worker}.${task}`, worker, key, task } as const;
  return function (input, given) {
    // Made for every call of a task that something stands around.
    const context = given as TaskContext;
    const { signal, caller, deadline, attempt, carrier } = context;
    return runAround(fns, { input, signal, caller, deadline, attempt, carrier, ...about }, () =>
      looks ? method.call(this, input, context) : method.call(this, input),
    );
  };
}
