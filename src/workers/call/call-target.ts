import type { TaskBlueprint, WorkerBlueprint } from '../../blueprint/types.js';
import { mailOf, wrongCallOptions, type CalledTask } from '../../decorators/worker/call-options.js';
import { MessageTooLargeError, type CallName, type UsageError } from '../../errors.js';
import type { Validator } from '../../schema.js';
import { TooManyPartsError } from '../../wire/codec/dear-values.js';

/** The target of a call: one task of a worker, or its mailbox. Built once per worker class. */
export interface Target {
  readonly worker: WorkerBlueprint;
  /** The task's name; 'ask' or 'tell' for the mailbox. */
  readonly name: string;
  readonly kind: 'task' | 'ask' | 'tell';
  /** Place in {@link targetsOf}; CALL's own index is found through the worker's HELLO. -1 for the mailbox. */
  readonly index: number;
  readonly task: TaskBlueprint | undefined;
  /** Checks the answer, or one item of the stream; undefined: it is not looked at. */
  readonly check: Validator | undefined;
  /** Nothing is answered: whatever comes is undefined. */
  readonly silent: boolean;
  /** Milliseconds; 0: none. */
  readonly hard: number;
  readonly soft: number;
  readonly retries: number;
  /** Facts that the options of a call are checked against. */
  readonly checked: CalledTask;
}

/** Everything that can be called on one worker class. */
export interface Targets {
  readonly tasks: readonly Target[];
  readonly byName: ReadonlyMap<string, Target>;
  readonly ask: Target;
  readonly tell: Target;
}

function taskTarget(worker: WorkerBlueprint, task: TaskBlueprint, index: number): Target {
  const { timeout, softTimeout, validate } = worker.settings;
  const check = task.yields ?? task.output;
  return {
    worker,
    name: task.name,
    kind: 'task',
    index,
    task,
    check: validate === 'off' ? undefined : check,
    silent: check === undefined && validate !== 'off',
    hard: task.timeout ?? timeout,
    soft: task.softTimeout ?? softTimeout,
    retries: task.idempotent ? task.retries : 0,
    checked: { name: `${worker.name}.${task.name}`, events: [...task.events.keys()], receives: task.receives !== undefined },
  };
}

function mailTarget(worker: WorkerBlueprint, kind: 'ask' | 'tell'): Target {
  const { timeout: hard, softTimeout: soft } = worker.settings;
  return {
    worker,
    name: kind,
    kind,
    index: -1,
    task: undefined,
    check: undefined,
    silent: false,
    hard,
    soft,
    retries: 0,
    checked: mailOf(worker.name, kind),
  };
}

const known = new WeakMap<WorkerBlueprint, Targets>();

export function targetsOf(worker: WorkerBlueprint): Targets {
  let targets = known.get(worker);
  if (!targets) {
    const tasks = [...worker.tasks.values()].map((task, index) => taskTarget(worker, task, index));
    targets = {
      tasks,
      byName: new Map(tasks.map(target => [target.name, target])),
      ask: mailTarget(worker, 'ask'),
      tell: mailTarget(worker, 'tell'),
    };
    known.set(worker, targets);
  }
  return targets;
}

/** The mistake in the options of a call to it, made through any client. */
export function wrongOptions({ checked }: Target, options: unknown): UsageError | undefined {
  return wrongCallOptions(checked, options);
}

/** How errors name a call. */
export function callNameOf(target: Target, key: string | undefined): CallName {
  return { worker: target.worker.name, key, task: target.name };
}

/** Why output of a task could not be read: too many parts fail its call alone. Throws whatever else it is, an offence of the process. */
export function unreadableOutput({ worker, name }: Target, error: unknown): MessageTooLargeError {
  if (!(error instanceof TooManyPartsError)) throw error;
  return new MessageTooLargeError(`output of ${worker.name}.${name}`, error.most, 'what one value may have', error.what);
}
