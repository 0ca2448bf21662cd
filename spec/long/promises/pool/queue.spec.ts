import { expect } from 'chai';
import { waitFor } from '../../../kit/index.js';
import { isSorted, numbers, queueCases } from '../../../promises/pool/cases/queue.js';
import { Scene } from '../../../promises/pool/scene.js';

queueCases('process');

describe('key affinity', function () {
  it('32. same key → same pid; after that worker’s death → new pid, order kept per key', async () => {
    const scene = await Scene.open({ minWorkers: 3, maxWorkers: 3 });
    const flows = ['a', 'b', 'c', 'd'];
    const send = (from: number, count: number): Promise<number>[][] =>
      flows.map(affinity => numbers(count).map(i => scene.note(`${affinity} ${from + i}`, { affinity, spin: 2 })));
    const first = send(0, 20);
    const pidsOf = await Promise.all(first.map(async calls => new Set(await Promise.all(calls))));
    for (const pids of pidsOf) expect(pids.size, 'one process while it lives and has unfinished ones').to.equal(1);
    expect(new Set(pidsOf.flatMap(pids => [...pids])).size, 'and not the same for all').to.be.greaterThan(1);

    const second = send(20, 40);
    const victim = await second[0]![0]!;
    scene.kill(victim);
    const results = await Promise.all(second.map(calls => Promise.allSettled(calls)));
    for (const [f, flow] of flows.entries()) {
      const order = scene.journal.filter(line => line.startsWith(flow)).map(line => Number(line.split(' ')[1]));
      expect(isSorted(order), `${flow} in order, each once`).to.equal(true);
      const lost = results[f]!.filter(({ status }) => status === 'rejected').length;
      expect(lost, 'at most the one that it was at').to.be.at.most(1);
      const pids = results[f]!.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
      expect(pids.lastIndexOf(victim), 'none after its death').to.be.lessThan(39);
      if (pids.includes(victim)) expect(new Set(pids).size).to.equal(2);
    }
  });
});

describe('sizing and recycling', function () {
  it('34. cold burst of N ≤ max → N workers busy at once', async () => {
    const scene = await Scene.open({ minWorkers: 0, maxWorkers: 3 });
    expect(scene.pids).to.deep.equal([]);
    const held = await Promise.all([scene.hold(), scene.hold(), scene.hold()]);
    expect(new Set(held.map(({ pid }) => pid)).size).to.equal(3);
    for (const each of held) each.release();
    await Promise.all(held.map(({ call }) => call));
  });

  for (const minWorkers of [0, 1]) {
    it(`35. idle shrink to min ${minWorkers}, then works again`, async () => {
      const scene = await Scene.open({ minWorkers, maxWorkers: 2, idleTimeout: '100ms' });
      for (let round = 0; round < 2; round++) {
        const held = await Promise.all([scene.hold(), scene.hold()]);
        expect(scene.pids).to.have.length(2);
        for (const each of held) each.release();
        await Promise.all(held.map(({ call }) => call));
        await waitFor(() => scene.pids.length === minWorkers, { within: '5s' });
        await waitFor(() => scene.exits.length === (2 - minWorkers) * (round + 1), { within: '5s' });
      }
      expect(await scene.client.echo('again')).to.equal('again');
      for (const { why } of scene.exits) expect(why).to.include({ reason: 'stop', exitCode: 0 });
    });
  }

  it('36. `maxTasksPerWorker: 3` with 1 worker, 10 calls → pids AAABBBCCCD, no stall, no lost call', async () => {
    const scene = await Scene.open({ maxTasksPerWorker: 3 });
    const pids = await Promise.all(numbers(10).map(i => scene.note(i)));
    expect(scene.journal).to.deep.equal(numbers(10).map(String));
    const names = [...new Set(pids)];
    expect(pids.map(pid => 'ABCDEFGHIJ'[names.indexOf(pid)]).join('')).to.equal('AAABBBCCCD');
  });

  it('37. RSS limit: replaced after the call, not during it', async () => {
    const scene = await Scene.open({ maxMemory: '180mb' });
    const first = await scene.client.pid();
    // Above the limit and below 1.5 times of it, for more than two looks.
    expect(await scene.client.keep(120)).to.equal(first);
    expect(await scene.client.pid()).to.not.equal(first);
    expect(await scene.exitOf(first)).to.include({ reason: 'stop' });
  });

  it('38. rolling reload under load → zero failed calls', async () => {
    const scene = await Scene.open({ minWorkers: 2, maxWorkers: 2 });
    const before = scene.pids;
    let running = true;
    let done = 0;
    const load = numbers(20).map(async () => {
      for (; running; done++) expect(await scene.client.echo(done)).to.be.a('number');
    });
    await waitFor(() => done > 100);
    for (let round = 0; round < 2; round++) await scene.workers.restart(scene.worker);
    const enough = done + 100;
    await waitFor(() => done > enough);
    running = false;
    await Promise.all(load);
    expect(scene.pids).to.have.length(2);
    expect(before.filter(pid => scene.pids.includes(pid))).to.deep.equal([]);
    expect(new Set(scene.exits.map(({ why }) => why.reason))).to.deep.equal(new Set(['stop']));
  });

  it('39. slots never duplicated, never above max: each row of status() is a process of its own', async () => {
    const scene = await Scene.open({ minWorkers: 1, maxWorkers: 3, idleTimeout: '50ms' });
    let most = 0;
    const look = (): void => {
      const rows = scene.workers.status();
      const ready = rows.filter(({ state }) => state === 'ready' || state === 'starting');
      const pids = rows.map(({ pid }) => pid);
      expect(new Set(pids).size).to.equal(pids.length);
      expect(ready.length).to.be.at.most(3);
      most = Math.max(most, ready.length);
    };
    using _start = scene.workers.on('start', look);
    using _ready = scene.workers.on('ready', look);
    using _exit = scene.workers.on('exit', look);
    // Starts are paced by the processors: long enough for the third.
    for (let round = 0; round < 4; round++) {
      const calls = numbers(30).map(i => scene.note(i, { spin: 30 }));
      if (round % 2 === 1) scene.kill(scene.pids[0]!);
      await Promise.allSettled(calls);
      look();
    }
    expect(most).to.equal(3);
    expect(new Set(scene.exits.map(({ pid }) => pid)).size).to.equal(scene.exits.length);
  });
});
