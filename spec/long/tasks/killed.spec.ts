import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerCrashedError, WorkerTimeoutError } from '../../../src/errors.js';
import { atEnd } from '../../kit/cleanup.js';
import { startBoth } from '../../kit/workers/two-workers-rig.js';

describe('a worker process that is killed under load', function () {
  it('has no call run twice, none lost; what failed had begun, or stood in the group being entered', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-ts-spec-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'journal');
    const { alpha, pid } = await startBoth('process', { minWorkers: 1, maxWorkers: 1 });
    const KILLS = 12;
    const crashed = new Set<number>();
    const right = new Set<number>();
    let next = 0;
    let kills = 0;
    const client = async (): Promise<void> => {
      while (kills < KILLS) {
        const id = next++;
        try {
          expect(await alpha.journal({ file, id })).to.equal(id);
          right.add(id);
        } catch (error) {
          expect(error).to.be.instanceOf(WorkerCrashedError).that.includes({ reason: 'signal', signal: 'SIGKILL' });
          crashed.add(id);
        }
        if (right.size >= (kills + 1) * 400 && kills < KILLS) {
          kills++;
          process.kill(pid(), 'SIGKILL');
        }
      }
    };
    await Promise.all(Array.from({ length: 200 }, client));
    const journal = readFileSync(file, 'utf8').trimEnd().split('\n').map(Number);
    const begun = new Set(journal);
    expect(journal).to.have.length(begun.size);
    expect(right.size + crashed.size).to.equal(next);
    expect([...right].filter(id => !begun.has(id))).to.deep.equal([]);
    expect([...crashed].filter(id => !begun.has(id)).length).to.be.at.most(KILLS * 16);
  });

  it('by its timeout, is replaced; the calls behind the one that hung are answered', async () => {
    const { alpha, pid } = await startBoth('process');
    const before = pid();
    const hung = alpha.spin().catch((error: unknown) => error);
    const behind = Promise.all(Array.from({ length: 20 }, (_, i) => alpha.add([i, i])));
    expect(await hung).to.be.instanceOf(WorkerTimeoutError);
    expect(await behind).to.have.length(20);
    expect(pid()).not.to.equal(before);
  });
});
