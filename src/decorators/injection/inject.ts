import 'reflect-metadata';
import { inject } from 'tsyringe';
import { checkGiven, oneOf, text } from '../../option-rules.js';
import type { WorkerTasks } from '../worker/client-types.js';
import type { Ctor, Mismatch, ParameterAt } from '../ctor.js';
import { OPTIONS_TOKEN, workerTokenOf } from './injection-tokens.js';
import { noteParameter } from '../metadata.js';

/** How `@InjectWorker` chooses. */
export interface InjectWorkerOptions {
  /** A started worker: `workers.start(W, { key })`. */
  key?: string | undefined;
  /** 'app': calls belong to the application, not to the connection they were injected into. */
  owner?: 'app' | undefined;
}

/**
 * Injects a client of a worker. In a connection it belongs to that connection: its calls are aborted when the peer is gone.
 * By name it needs only `import type` of the class.
 * @example constructor(@InjectWorker(EvalWorker) private readonly evaluator: WorkerClient<EvalWorker>) {}
 */
export function InjectWorker<W extends object>(
  worker: Ctor<W>,
  options?: InjectWorkerOptions,
): <C extends Ctor, I extends number>(
  target: C &
    (WorkerTasks<W> extends ParameterAt<C, I>
      ? unknown
      : ParameterAt<C, I> extends WorkerTasks<W>
        ? unknown
        : Mismatch<'the parameter is not a WorkerClient of that worker'>),
  key: undefined,
  index: I,
) => void;
export function InjectWorker(name: string, options?: InjectWorkerOptions): (target: Ctor, key: undefined, index: number) => void;
export function InjectWorker(
  worker: Ctor | string,
  options: InjectWorkerOptions = {},
): (target: Ctor, property: undefined, index: number) => void {
  checkGiven('@InjectWorker()', options, { key: text, owner: oneOf('app') });
  const { key, owner } = options;
  return (target, property, index) => {
    noteParameter(target, { index, kind: 'worker', worker, key, owner });
    // For classes that tsyringe itself builds.
    inject(workerTokenOf({ worker, key, owner }))(target, property, index);
  };
}

/**
 * Injects into a worker what `workers.start(W, { options })` was given, parsed by `startOptions`.
 * @example constructor(@InjectOptions() private readonly options: Options<TenantOptions>) {}
 */
export function InjectOptions(): (target: Ctor, key: undefined, index: number) => void {
  return (target, property, index) => {
    noteParameter(target, { index, kind: 'options' });
    inject(OPTIONS_TOKEN)(target, property, index);
  };
}
