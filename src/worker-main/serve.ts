import { becomeWorkerProcess } from '../app/worker-process.js';
import { loadedWorker } from '../app/worker-side.js';
import type { Ctor } from '../decorators/ctor.js';
import { registeredWorkers } from '../decorators/worker-registry.js';
import { Logger } from '../logger.js';
import { importWorker, prepareProcess, serveProcess, type ProcessLink } from '../tasks/index.js';

/** A worker writes its log to its stderr, which the master's logger reads line by line, with name and pid. */
class WorkerLogger extends Logger {
  readonly #bindings: object;

  constructor(bindings: object = {}) {
    super();
    this.#bindings = bindings;
  }

  override trace(): void {}
  override debug(): void {}
  override info(object: unknown, message?: string): void {
    this.#write('info', object, message);
  }
  override warn(object: unknown, message?: string): void {
    this.#write('warn', object, message);
  }
  override error(object: unknown, message?: string): void {
    this.#write('error', object, message);
  }
  override fatal(object: unknown, message?: string): void {
    this.#write('fatal', object, message);
  }
  override child(bindings: object): Logger {
    return new WorkerLogger({ ...this.#bindings, ...bindings });
  }

  #write(level: string, object: unknown, message: string | undefined): void {
    const facts = typeof object === 'object' && object !== null ? object : { msg: object };
    process.stderr.write(
      `${JSON.stringify({ level, ...this.#bindings, ...plain(facts), ...(message === undefined ? {} : { msg: message }) })}\n`,
    );
  }
}

function plain(facts: object): object {
  return facts instanceof Error ? { err: facts.stack } : facts;
}

/** Becomes a worker: reads over the link who it is to be, imports its module, and serves it until the link ends. */
export function serveWorker(link: ProcessLink = prepareProcess()): void {
  const { reached } = becomeWorkerProcess();
  serveProcess({
    link,
    load: async boot => {
      const cls = await importWorker(boot, name => classNamed(name, boot.source), reached);
      return loadedWorker(cls, new WorkerLogger());
    },
  });
}

/** The class of that name: where several modules declare one, that of the module that the master named. */
function classNamed(name: string, source: string): Ctor | undefined {
  const found = registeredWorkers(name);
  return (found.find(worker => worker.source?.url === source) ?? found[0])?.cls;
}
