import { expect } from 'chai';
import { spawn, WorkerCrashedError, type Spawned } from 'packet-ts';
import { atEnd } from '../../../kit/cleanup.js';
import { SurvivedWorker } from '../../../fixtures/misbehaviour/survived.worker.js';

const ENDS = {
  exit: { reason: 'exit', exitCode: 78, signal: null },
  signal: { reason: 'signal', exitCode: null, signal: 'SIGKILL' },
  stray: { reason: 'exit', exitCode: 1, signal: null },
  memory: { reason: 'memory' },
} as const;

describe('a worker that crashes while a child of it holds its outputs, in each way to end', function () {
  let worker: Spawned<typeof SurvivedWorker>;
  before(async () => void (worker = await spawn(SurvivedWorker, { logger: false })));
  after(() => worker.close());

  async function crash(fd: number, how: keyof typeof ENDS, chatter = false): Promise<WorkerCrashedError> {
    const pid = await worker.leaveBehind({ fd, chatter });
    atEnd(() => void process.kill(pid, 'SIGKILL'));
    const error: unknown = await worker.end(how).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(WorkerCrashedError);
    return error as WorkerCrashedError;
  }

  for (const [fd, name] of [
    [1, 'stdout'],
    [2, 'stderr'],
  ] as const) {
    for (const how of Object.keys(ENDS) as (keyof typeof ENDS)[]) {
      it(`tells its code, its signal and its last words all the same: ${how}, ${name} held`, async () => {
        const error = await crash(fd, how);
        expect(error).to.include(ENDS[how]);
        expect(error.stderr).to.match(how === 'memory' ? /heap out of memory/ : /last words/);
      });
    }
  }
});
