import { expect } from 'chai';
import type { WorkerProcess } from '../../src/decorators/worker/worker-types.js';
import { FakeHost } from './support/fake-host.js';
import { Rig } from './support/rig.js';

describe('the identity of a process of a pool', () => {
  let rig: Rig;
  afterEach(() => rig.close());

  async function readyTwo(host = new FakeHost()): Promise<readonly WorkerProcess[]> {
    rig = new Rig({ minWorkers: 2, maxWorkers: 2 }, {}, {}, undefined, [], host);
    const heard: WorkerProcess[] = [];
    using _ready = rig.workforce.on('ready', process => void heard.push(process));
    await rig.start();
    return heard;
  }

  it('is its id: two that share a pid, as inline workers and threads do, differ in it, in events and in status()', async () => {
    const host = new FakeHost();
    host.pid = () => 7;
    const heard = await readyTwo(host);
    expect(heard.map(({ pid, host: machine }) => ({ pid, machine }))).to.deep.equal([
      { pid: 7, machine: 'local' },
      { pid: 7, machine: 'local' },
    ]);
    expect(new Set(heard.map(({ id }) => id)).size).to.equal(2);
    expect(rig.workforce.status().map(({ id, host: machine }) => ({ id, machine }))).to.deep.equal(
      heard.map(({ id }) => ({ id, machine: 'local' })),
    );
  });

  it('has the name of the machine that its host says it runs on', async () => {
    const host = new FakeHost();
    host.machine = 'far-away';
    const heard = await readyTwo(host);
    expect(heard.map(({ host: machine }) => machine)).to.deep.equal(['far-away', 'far-away']);
    expect(rig.workforce.status().map(({ host: machine }) => machine)).to.deep.equal(['far-away', 'far-away']);
  });

  it('is unknown in the row of a pool that has no process', async () => {
    rig = await Rig.started({ minWorkers: 0 });
    expect(rig.workforce.status()[0]).to.include({ id: undefined, host: undefined, pid: undefined });
  });
});
