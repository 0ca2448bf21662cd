import { expect } from 'chai';
import { WorkerCrashedError, WorkerUnavailableError } from '../../../src/errors.js';
import { Kind } from '../../../src/wire/link/protocol.js';
import type { FakeWorker, Heard } from '../support/fake-host.js';
import { rejection, Rig } from '../support/rig.js';

const echo = (worker: FakeWorker, call: Heard): void => worker.reply(call);

describe('the staff of a pool', () => {
  let rig: Rig;
  const started = async (...given: ConstructorParameters<typeof Rig>): Promise<Rig> => (rig = await Rig.started(...given));
  const alive = (): number => rig.workforce.status().filter(({ pid }) => pid !== undefined).length;

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  describe('its size', () => {
    it('follows a burst at once: as many calls as processes are busy together', async () => {
      await started({ maxWorkers: 4 });
      const answers = Promise.all([1, 2, 3, 4].map(value => rig.client().run(value)));
      const calls = await Promise.all(
        [1, 2, 3, 4].map(async number => [await rig.host.worker(number), await (await rig.host.worker(number)).call()] as const),
      );
      for (const [worker, call] of calls) worker.reply(call);
      expect(await answers).to.have.members([1, 2, 3, 4]);
    });

    it('keeps a spare one beyond the busy', async () => {
      await started({ maxWorkers: 3, spare: 1 });
      expect(alive()).to.equal(1);
      const answer = rig.client().run(1);
      await rig.settle();
      expect(alive()).to.equal(2);
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call());
      await answer;
    });

    it('shrinks after idleTimeout to the minimum, and grows again, however few may start at the same time', async () => {
      const held: [FakeWorker, Heard][] = [];
      await started({ maxWorkers: 3, idleTimeout: 60_000 }, { call: (worker, call) => void held.push([worker, call]) });
      const grow = async (): Promise<void> => {
        const answers = Promise.all([1, 2, 3].map(value => rig.client().run(value)));
        // The need is looked at again after each start.
        while (held.length < 3) await rig.settle();
        expect(alive()).to.equal(3);
        for (const [worker, call] of held.splice(0)) worker.reply(call);
        await answers;
      };
      await grow();
      await rig.clock.advance(59_000);
      expect(alive()).to.equal(3);
      await rig.clock.advance(1_500);
      expect(alive()).to.equal(1);
      await grow();
    });

    it('may shrink to none, and works again', async () => {
      await started({ minWorkers: 0, idleTimeout: 1000 }, { call: echo });
      expect(alive()).to.equal(0);
      expect(await rig.client().run(1)).to.equal(1);
      await rig.clock.advance(1500);
      expect(alive()).to.equal(0);
      expect(await rig.client().run(2)).to.equal(2);
      expect(rig.host.workers).to.have.length(2);
    });

    it('keeps a process with open connections: it is not idle', async () => {
      await started({ minWorkers: 0, idleTimeout: 1000 }, { call: echo });
      await rig.client().run(1);
      const worker = await rig.host.worker(1);
      worker.link.send(Kind.CONNECTIONS, 0, 1);
      await rig.clock.advance(5000);
      expect(alive()).to.equal(1);
      worker.link.send(Kind.CONNECTIONS, 0, 0);
      await rig.clock.advance(5000);
      expect(alive()).to.equal(0);
    });
  });

  describe('its end', () => {
    it('starts nothing to have processes in hand: those that die are not replaced', async () => {
      await started({ minWorkers: 2, maxWorkers: 4, spare: 1 });
      const [first, second] = [await rig.host.worker(1), await rig.host.worker(2)];
      const answer = rig.client().run(1);
      const call = await first.call();
      const before = rig.host.workers.length;
      rig.workforce.refuse();
      second.die({ signal: 'SIGKILL' });
      await rig.clock.advance(5000);
      expect(rig.host.workers).to.have.length(before);
      first.reply(call);
      expect(await answer).to.equal(1);
    });

    it('starts one for a call that waits, and does not wait for the delay of a failed start', async () => {
      let boots = 0;
      await started({ prefetch: 0 }, { boot: worker => (++boots === 2 ? worker.die({ exitCode: 1 }) : worker.ready()) });
      const first = await rig.host.worker(1);
      const lost = rejection(rig.client().run(1));
      const waits = rig.client().run(2);
      first.begun = (await first.call()).id;
      rig.workforce.refuse();
      first.die({ signal: 'SIGKILL' });
      expect(await lost).to.be.instanceOf(WorkerCrashedError);
      const third = await rig.host.worker(3);
      third.reply(await third.call(), 'in time');
      expect(await waits).to.equal('in time');
      expect(boots).to.equal(3);
    });
  });

  describe('recycling', () => {
    it('replaces a process after maxTasksPerWorker calls: AAABBBCCCD, none lost', async () => {
      await started({ maxTasksPerWorker: 3 }, { call: (worker, call) => worker.reply(call, worker.pid) });
      const pids = await Promise.all(Array.from({ length: 10 }, (_, i) => rig.client().run(i)));
      expect(pids).to.deep.equal([1, 1, 1, 2, 2, 2, 3, 3, 3, 4]);
    });

    it('starts the replacement before a process has had all its calls, one after the other where several are due', async () => {
      const served = new Map<FakeWorker, number>();
      const count = (worker: FakeWorker, call: Heard): void => {
        served.set(worker, (served.get(worker) ?? 0) + 1);
        echo(worker, call);
      };
      await started({ minWorkers: 2, maxWorkers: 2, maxTasksPerWorker: 20, prefetch: 0 }, { call: count });
      let most = 0;
      const starting = (): number => rig.workforce.status().filter(({ state }) => state === 'starting').length;
      using _start = rig.workforce.on('start', () => (most = Math.max(most, starting())));
      const client = rig.client();
      for (let i = 0; i < 100; i++) {
        await Promise.all([client.run(i), client.run(i)]);
        await rig.settle();
        // None of them is without a process to go to at any time.
        expect(rig.workforce.status().filter(({ state }) => state === 'ready').length).to.be.within(2, 3);
      }
      expect(most).to.equal(1);
      expect(Math.max(...served.values())).to.be.at.most(20);
    });

    it('replaces one that grew above maxMemory after its call, not during it', async () => {
      await started({ maxMemory: 100 });
      const answer = rig.client().run(1);
      const worker = await rig.host.worker(1);
      worker.resident = 120;
      const call = await worker.call();
      await rig.clock.advance(5000);
      expect(worker.signals).to.deep.equal([]);
      worker.reply(call);
      expect(await answer).to.equal(1);
      await rig.settle();
      expect(rig.host.workers).to.have.length(2);
      expect(worker.signals).to.deep.equal([]);
    });

    it('kills one that grows above 1.5 times of it during a call', async () => {
      await started({ maxMemory: 100 });
      const rejected = rejection<WorkerCrashedError>(rig.client().run(1));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call()).id;
      worker.resident = 151;
      await rig.clock.advance(500);
      expect((await rejected).reason).to.equal('memory');
    });

    it('restarts rolling: the replacement is ready before the old one goes, and no call fails', async () => {
      await started({ minWorkers: 2, maxWorkers: 2 });
      const client = rig.client();
      const running = client.run('running');
      const first = await rig.host.worker(1);
      const call = await first.call();
      const restarted = rig.workforce.restart(rig.worker);
      const third = await rig.host.worker(3);
      await rig.settle();
      const during = client.run('during');
      const second = rig.host.workers[1]!;
      await rig.settle();
      const took = [second, third].find(worker => worker.calls.length > 0)!;
      took.reply(await took.call());
      expect(await during).to.equal('during');
      first.reply(call);
      expect(await running).to.equal('running');
      await restarted;
      expect(rig.workforce.status().map(({ pid }) => pid)).to.have.members([3, 4]);
    });

    it('restarts one time after the other when it is told to several times: never more than one beyond its bounds, at rest none', async () => {
      await started({}, { call: echo });
      const restarts = Array.from({ length: 4 }, () => rig.workforce.restart(rig.worker));
      let most = 0;
      using _ready = rig.workforce.on('ready', () => (most = Math.max(most, rig.workforce.status().length)));
      await Promise.all(restarts);
      expect(most).to.equal(2);
      // Those who asked during the first one share the second.
      expect(rig.host.workers).to.have.length(3);
      expect(rig.workforce.status().map(({ pid, state }) => ({ pid, state }))).to.deep.equal([{ pid: 3, state: 'ready' }]);
    });

    it('restarts the next one though the last one has yet to finish what it runs', async () => {
      await started({ minWorkers: 2, maxWorkers: 2 });
      const running = rig.client().run('for long');
      const first = await rig.host.worker(1);
      const call = await first.call();
      const restarted = rig.workforce.restart(rig.worker);
      // The fourth replaces the second: the first still runs.
      await rig.host.worker(4);
      await rig.settle();
      first.reply(call);
      expect(await running).to.equal('for long');
      await restarted;
      expect(rig.workforce.status().map(({ pid }) => pid)).to.have.members([3, 4]);
    });

    it('keeps the old ones when the replacement cannot start', async () => {
      await started({}, { call: echo });
      rig.host.script = { boot: worker => worker.die({ exitCode: 1 }) };
      expect(await rejection(rig.workforce.restart(rig.worker))).to.be.instanceOf(WorkerUnavailableError);
      expect(await rig.client().run('still there')).to.equal('still there');
    });
  });

  describe('its pulse', () => {
    const heartbeat = { every: 5000, grace: 15_000 };

    it('pings idle processes and leaves alone those that answer', async () => {
      await started({ heartbeat });
      const worker = await rig.host.worker(1);
      for (let i = 0; i < 4; i++) {
        await rig.clock.advance(5000);
        worker.link.send(Kind.PONG, 0, (await worker.next(Kind.PING)).arg);
        await rig.settle();
      }
      expect(worker.signals).to.deep.equal([]);
    });

    it('kills an idle one that does not answer, and replaces it', async () => {
      await started({ heartbeat });
      const worker = await rig.host.worker(1);
      await rig.clock.advance(19_999);
      expect(worker.signals).to.deep.equal([]);
      await rig.clock.advance(1);
      expect(worker.signals).to.deep.equal(['SIGKILL']);
      expect(rig.host.workers).to.have.length(2);
    });

    it('never disturbs a long call of a healthy process', async () => {
      await started({ heartbeat });
      const answer = rig.client().run(1);
      const worker = await rig.host.worker(1);
      const call = await worker.call();
      await rig.clock.advance(600_000);
      worker.reply(call);
      expect(await answer).to.equal(1);
    });

    it('kills a stopped one even when it is busy', async () => {
      await started({ heartbeat });
      const rejected = rejection<WorkerCrashedError>(rig.client().run(1));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call()).id;
      worker.halted = true;
      await rig.clock.advance(5250);
      expect((await rejected).reason).to.equal('heartbeat');
    });

    it('forgives one that was stopped for a moment', async () => {
      await started({ heartbeat });
      const worker = await rig.host.worker(1);
      worker.halted = true;
      await rig.clock.advance(5000);
      worker.halted = false;
      await rig.clock.advance(250);
      expect(worker.signals).to.deep.equal([]);
    });
  });
});
