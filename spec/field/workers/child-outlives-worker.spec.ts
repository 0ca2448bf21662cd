import { expect } from 'chai';
import { spawn, WorkerCrashedError, type Spawned } from 'packet-ts';
import { atEnd } from '../../kit/cleanup.js';
import { SurvivedWorker } from '../../fixtures/misbehaviour/survived.worker.js';

const ENDS = { exit: { reason: 'exit', exitCode: 78, signal: null } } as const;

describe('a worker that crashes while a child of it holds its outputs', function () {
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

  it('tells its code, its signal and its last words all the same', async () => {
    const error = await crash(1, 'exit');
    expect(error).to.include(ENDS.exit);
    expect(error.stderr).to.match(/last words/);
  });

  it('tells them while that child goes on printing', async () => {
    expect(await crash(2, 'exit', true)).to.include(ENDS.exit);
  });
});
