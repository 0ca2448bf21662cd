/** A worker process whose worker is put together by hand: what worker-main does, without a container. */
import process from 'node:process';
import { once } from 'node:events';
import { importWorker, serveProcess } from '../../../src/tasks/index.js';
import { loaded, taskOf, workerOf } from '../workers/worker-fixture.js';

class Fixture {
  echo(input: unknown): unknown {
    return input;
  }
  /** Evaluates what it is given, with the pieces that misbehaviour needs. */
  run(code: string): unknown {
    // oxlint-disable-next-line typescript/no-implied-eval -- what this worker is for
    return new Function('process', 'setImmediate', `return (${code})`)(process, setImmediate) as unknown;
  }
}

const fixture = workerOf(Fixture, [taskOf('echo'), taskOf('run')]);

serveProcess({
  load: async boot => {
    // Any other source is a module that declares nothing, or cannot be imported.
    const find = (name: string): typeof fixture | undefined =>
      boot.source === 'file:///fixture.js' && name === 'fixture' ? fixture : undefined;
    return loaded(await importWorker(boot, find, once(process, 'bootstrap reached')));
  },
});
