import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { WorkerCrashedError } from '../../../src/errors.js';
import { Owner } from '../../../src/workers/index.js';
import { Quarters } from '../../promises/support/quarters.js';

const CLIENTS = 40;
const CALLS = 60;
/** One process is killed each time so many calls have settled. */
const PER_KILL = 150;

describe('a stampede of clients', function () {
  it('while processes are killed: nothing runs twice, nothing is lost, nearly everything is answered', async () => {
    const quarters = await Quarters.open({ minWorkers: 2, maxWorkers: 2 });
    const file = quarters.path();
    writeFileSync(file, '');
    const crashed: WorkerCrashedError[] = [];
    const answered: string[] = [];
    let kills = 0;
    let settled = 0;

    const settle = (): void => {
      if (++settled % PER_KILL !== 0) return;
      const victim = quarters.workers.status().find(({ state, running }) => state === 'ready' && running > 0)?.pid;
      if (victim === undefined) return;
      process.kill(victim, 'SIGKILL');
      kills++;
    };
    const client = async (name: string): Promise<void> => {
      const crew = quarters.clientOf(new Owner('connection', name));
      for (let i = 0; i < CALLS; i++) {
        const line = `${name}-${i}`;
        try {
          expect(await crew.journal({ file, line, work: 0.2 })).to.equal(line);
          answered.push(line);
        } catch (error) {
          expect(error).to.be.instanceOf(WorkerCrashedError);
          crashed.push(error as WorkerCrashedError);
        }
        settle();
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => client(`c${i}`)));

    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(new Set(lines).size, 'each ran at most once').to.equal(lines.length);
    expect(answered.length + crashed.length).to.equal(CLIENTS * CALLS);
    expect(lines).to.include.members(answered);
    expect(kills).to.be.greaterThan(5);
    // Of a process that is killed at most one group of quick calls is lost.
    expect(crashed.length).to.be.at.most(16 * kills);
    expect(answered.length / (CLIENTS * CALLS)).to.be.greaterThan(0.95);
    expect(await quarters.client.echo('calm')).to.equal('calm');
  });
});
