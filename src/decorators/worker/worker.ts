import { isObject } from '../../option-rules.js';
import type { Ctor } from '../ctor.js';
import { onClass, type ModuleSource } from '../metadata.js';
import type { ProxyFits, ProxyShape } from './proxy-types.js';
import { registerWorker } from './worker-registry.js';
import { evaluatedModule, toUrl } from './worker-source.js';
import type { WorkerOptions } from './worker-types.js';

/**
 * Makes a class run in processes of its own; other processes call its `@Task` methods through a `WorkerClient`.
 * The name is its identity. The module it is written in is found by itself, or said with `source: import.meta.url`.
 * @example
 * @Worker('eval_worker', { maxWorkers: 2, timeout: '1s' })
 * class EvalWorker { @Task({ input: z.string(), output: z.string() }) evaluate(source: string): string { return String(eval(source)); } }
 */
export function Worker<P extends Ctor<ProxyShape> = never>(
  name: string,
  options: WorkerOptions<P> = {},
): <C extends Ctor>(target: C & ([P] extends [never] ? unknown : ProxyFits<C, P>)) => void {
  const decorate = (target: Ctor, context?: unknown): void => {
    const source: ModuleSource | undefined =
      isObject(options) && typeof options['source'] === 'string'
        ? { url: toUrl(options['source']), sure: true }
        : evaluatedModule(decorate);
    onClass(() => ({ kind: 'worker', name, options, source }))(target, context);
    registerWorker(name, { cls: target, source });
  };
  return decorate;
}
