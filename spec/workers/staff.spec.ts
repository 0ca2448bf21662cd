import { expect } from 'chai';
import { ClosingError, UsageError, WorkerCrashedError, WorkerExistsError, WorkerNotFoundError, WorkerUnavailableError } from '../../src/errors.js';
import { Kind } from '../../src/wire/protocol.js';
import { toValidator } from '../../src/schema.js';
import { Workers } from '../../src/workers/workers.js';
import type { FakeWorker, Heard } from './support/fake-host.js';
import { rejection, Rig } from './support/rig.js';
import { z } from 'zod';

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
      const calls = await Promise.all([1, 2, 3, 4].map(async number => [await rig.host.worker(number), await (await rig.host.worker(number)).call()] as const));
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

    it('shrinks after idleTimeout to the minimum, and grows again', async () => {
      await started({ maxWorkers: 3, idleTimeout: 60_000 }, { call: echo });
      await Promise.all([1, 2, 3].map(value => rig.client().run(value)));
      await rig.settle();
      expect(alive()).to.equal(3);
      await rig.clock.advance(59_000);
      expect(alive()).to.equal(3);
      await rig.clock.advance(1_500);
      expect(alive()).to.equal(1);
      await Promise.all([1, 2, 3].map(value => rig.client().run(value)));
      expect(alive()).to.equal(3);
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
      worker.link.send(Kind.HOLDS, 0, 1);
      await rig.clock.advance(5000);
      expect(alive()).to.equal(1);
      worker.link.send(Kind.HOLDS, 0, 0);
      await rig.clock.advance(5000);
      expect(alive()).to.equal(0);
    });
  });

  describe('prefetch', () => {
    it('gives a process that is quick many calls ahead, one that is slow none', async () => {
      await started();
      const client = rig.client();
      const worker = await rig.host.worker(1);
      // Quick: answers within the same instant.
      for (let i = 0; i < 12; i++) {
        const answer = client.run(i);
        worker.reply(await worker.call());
        await answer;
      }
      const many = Array.from({ length: 300 }, (_, i) => client.run(i));
      await rig.settle();
      expect(worker.calls.length).to.equal(257);
      await rig.clock.advance(2000);
      for (let i = 0; i < 300; i++) {
        const call = await worker.call(i);
        worker.reply(call);
        if (i === 0) {
          await many[0];
          await rig.settle();
        }
      }
      await Promise.all(many);
    });

    it('gives none ahead while another process is idle or may start', async () => {
      await started({ maxWorkers: 2, minWorkers: 2 });
      const client = rig.client();
      const answers = [1, 2, 3].map(value => client.run(value));
      await rig.settle();
      expect(rig.host.workers.map(worker => worker.calls)).to.deep.equal([[1], [2]]);
      const [first] = rig.host.workers;
      first!.reply(await first!.call(1));
      first!.reply(await first!.call(3));
      rig.host.workers[1]!.reply(await rig.host.workers[1]!.call(2));
      await Promise.all(answers);
    });

    it('gives none ahead after a kill until the new process has proven quick', async () => {
      await started({ timeout: 1000 });
      const client = rig.client();
      const loop = rejection(client.run('loop'));
      await (await rig.host.worker(1)).call();
      await rig.clock.advance(1000);
      await loop;
      const second = await rig.host.worker(2);
      const answers = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(value => client.run(value));
      for (const value of [1, 2, 3]) {
        const call = await second.call(value);
        await rig.settle();
        expect(second.calls, `behind ${value}`).to.deep.equal([]);
        second.reply(call);
      }
      for (const value of [4, 5, 6, 7, 8, 9]) second.reply(await second.call(value));
      await Promise.all(answers);
    });

    it('holds back while the kernel takes no more', async () => {
      await started({ prefetch: 100 });
      const client = rig.client();
      const big = Buffer.alloc(200_000);
      const worker = await rig.host.worker(1);
      worker.link; // reads on; nothing is lost
      const answers = Array.from({ length: 20 }, () => client.run(big));
      for (let i = 0; i < 20; i++) worker.reply(await worker.call(), i);
      expect(await Promise.all(answers)).to.have.length(20);
    });
  });

  describe('recycling', () => {
    it('replaces a process after maxTasksPerWorker calls: AAABBBCCCD, none lost', async () => {
      await started({ maxTasksPerWorker: 3 }, { call: (worker, call) => worker.reply(call, worker.pid) });
      const pids = await Promise.all(Array.from({ length: 10 }, (_, i) => rig.client().run(i)));
      expect(pids).to.deep.equal([1, 1, 1, 2, 2, 2, 3, 3, 3, 4]);
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

  describe('starting and stopping', () => {
    it('gives the running handle for the same name, key and options, and refuses others', async () => {
      await started();
      const workers = new Workers(rig.workforce);
      const options = { quality: 3, list: [1] };
      const start = (given: unknown): Promise<unknown> => rig.workforce.start(rig.worker, 'gold', given);
      const [one, two] = await Promise.all([start(options), start({ quality: 3, list: [1] })]);
      expect(one).to.equal(two);
      const refused = await rejection(start({ quality: 4 }));
      expect(refused).to.be.instanceOf(WorkerExistsError).and.to.include({ code: 'ERR_PACKET_WORKER_EXISTS' });
      expect(workers.list().map(({ key }) => key)).to.deep.equal([undefined, 'gold']);
      expect(workers.get(rig.worker.cls, 'gold')).to.equal(one);
      expect(rig.host.workers).to.have.length(2);
    });

    it('tells a process its key and options, parsed by startOptions', async () => {
      const boots: unknown[] = [];
      rig = new Rig({}, { boot: (worker, boot) => (boots.push([boot.key, boot.options]), worker.ready()) }, { startOptions: toValidator(z.object({ quality: z.number().default(1) })) });
      await rig.start('gold', {});
      expect(boots).to.deep.equal([['gold', { quality: 1 }]]);
      expect(await rejection(rig.start('bad', { quality: 'x' }))).to.include({ code: 'ERR_PACKET_BOUNDARY' });
    });

    it('refuses options that cannot be sent', async () => {
      rig = new Rig();
      expect(await rejection(rig.start('x', { f: () => 1 }))).to.include({ code: 'ERR_PACKET_NOT_CLONEABLE' });
    });

    it('stops after finishing what runs and waits; then it is not found, and may be started again', async () => {
      await started({ prefetch: 0 });
      const handle = rig.workforce.list()[0]!;
      const client = rig.client();
      const running = client.run('running');
      const waiting = client.run('waiting');
      const stopped = rig.workforce.stop(handle, undefined);
      expect(await rejection(client.run('new'))).to.be.instanceOf(WorkerNotFoundError);
      expect(handle.state).to.equal('stopping');
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call('running'));
      worker.reply(await worker.call('waiting'));
      expect(await Promise.all([running, waiting])).to.deep.equal(['running', 'waiting']);
      await stopped;
      expect(handle.state).to.equal('stopped');
      expect(worker.signals).to.deep.equal([]);
      expect(await rejection(client.run('late'))).to.be.instanceOf(WorkerNotFoundError);
      await rig.start();
      const answer = client.run('again');
      const second = await rig.host.worker(2);
      second.reply(await second.call());
      expect(await answer).to.equal('again');
    });

    it('waits for all processes, however different their speed', async () => {
      await started({ minWorkers: 2, maxWorkers: 2 });
      const client = rig.client();
      const quick = client.run('quick');
      const slow = client.run('slow');
      const [first, second] = rig.host.workers;
      const stopped = rig.workforce.stop(rig.workforce.list()[0]!, 60_000);
      first!.reply(await first!.call());
      await quick;
      await rig.clock.advance(5000);
      second!.reply(await second!.call());
      expect(await slow).to.equal('slow');
      await stopped;
      expect(second!.signals).to.deep.equal([]);
    });

    it('kills a process that does not stop within closeTimeout', async () => {
      await started({ closeTimeout: 2000 }, { stop: () => {} });
      const worker = await rig.host.worker(1);
      const stopped = rig.workforce.stop(rig.workforce.list()[0]!, undefined);
      await rig.clock.advance(2000);
      await stopped;
      expect(worker.signals).to.deep.equal(['SIGKILL']);
    });

    it('ends one that is starting', async () => {
      rig = new Rig({}, { boot: () => {} });
      const start = rejection(rig.start());
      await rig.settle();
      const closing = rig.workforce.close(1000);
      await rig.settle();
      await closing;
      expect(await start).to.be.instanceOf(WorkerUnavailableError);
      expect(await rejection(rig.start())).to.be.instanceOf(ClosingError);
    });

    it('knows no worker that the application does not list', async () => {
      await started();
      expect(() => rig.workforce.blueprint(class Stranger {})).to.throw(UsageError, /Stranger/);
    });
  });

  describe('what is told', () => {
    it('a row per process, at once, even while all are busy', async () => {
      await started({ prefetch: 0 });
      const client = rig.client();
      const calls = [1, 2, 3].map(value => client.run(value));
      const worker = await rig.host.worker(1);
      const call = await worker.call();
      worker.link.sendValue(Kind.STATUS, 0, 0, { phase: 'one' });
      await rig.settle();
      const [row] = rig.workforce.status();
      expect(row).to.deep.include({ name: 'fixture', key: undefined, pid: 1, state: 'ready', running: 1, queued: 2, done: 0, failed: 0, restarts: 0 });
      expect(row!.status).to.deep.equal({ phase: 'one' });
      worker.reply(call);
      for (const value of [2, 3]) worker.reply(await worker.call(value));
      await Promise.all(calls);
      expect(rig.workforce.status()[0]).to.include({ running: 0, queued: 0, done: 3 });
    });

    it('start, ready, exit and restart, each with its process', async () => {
      rig = new Rig();
      const told: unknown[] = [];
      for (const event of ['start', 'ready', 'restart'] as const) rig.workforce.on(event, ({ pid }) => told.push(`${event} ${pid}`));
      rig.workforce.on('exit', ({ pid }, why) => told.push([pid, why.reason, why.signal]));
      rig.workforce.on('ready', () => {
        throw new Error('what a listener throws is its own');
      });
      await rig.start();
      (await rig.host.worker(1)).die({ signal: 'SIGKILL' });
      await rig.clock.advance(200);
      expect(told).to.deep.equal(['start 1', 'ready 1', [1, 'signal', 'SIGKILL'], 'start 2', 'restart 2', 'ready 2']);
    });

    it('gaveUp, with the boot error', async () => {
      rig = new Rig({}, { boot: worker => worker.link.sendValue(Kind.FAILURE, 0, 0, new Error('broken')) });
      const told: unknown[] = [];
      rig.workforce.on('gaveUp', ({ state }, error) => told.push([state, (error.cause as Error).message]));
      const start = rejection(rig.start());
      await rig.clock.advance(5000);
      await start;
      expect(told).to.deep.equal([['failed', 'broken']]);
    });

    it('unasked messages, and no more until they are dealt with', async () => {
      await started();
      const told: unknown[] = [];
      rig.workforce.on('message', (data, { pid }) => told.push([data, pid]));
      const worker = await rig.host.worker(1);
      for (let i = 0; i < 32; i++) worker.link.sendValue(Kind.MESSAGE, 0, 0, i);
      expect(await worker.next(Kind.CREDIT)).to.include({ id: 0, arg: (3 << 24) | 32 });
      expect(told[0]).to.deep.equal([0, 1]);
    });

    it('when a producer should hold back, and when it may go on', async () => {
      await started({ maxQueue: 8, prefetch: 0 });
      const workers = new Workers(rig.workforce);
      const { cls } = rig.worker;
      const client = rig.client();
      const calls = Array.from({ length: 5 }, (_, i) => client.run(i));
      expect(workers.needsDrain(cls)).to.equal(true);
      const drained = workers.drained(cls);
      const worker = await rig.host.worker(1);
      for (let i = 0; i < 5; i++) worker.reply(await worker.call(i));
      await drained;
      expect(workers.needsDrain(cls)).to.equal(false);
      await workers.drained(cls);
      await Promise.all(calls);
    });

    it('to the event loop: a pool keeps the program running only while it has calls', async () => {
      await started();
      const worker = await rig.host.worker(1);
      await rig.settle();
      expect(worker.keptAlive).to.equal(false);
      const answer = rig.client().run(1);
      const call = await worker.call();
      expect(worker.keptAlive).to.equal(true);
      worker.reply(call);
      await answer;
      await rig.settle();
      expect(worker.keptAlive).to.equal(false);
    });
  });

  describe('affinity', () => {
    it('runs calls of equal affinity one at a time, in order, on one process', async () => {
      await started({ minWorkers: 3, maxWorkers: 3 });
      const client = rig.client();
      const calls = [1, 2, 3].map(value => client.run(value, { affinity: 'a' }));
      const free = client.run('free');
      await rig.settle();
      const first = rig.host.workers.find(worker => worker.calls.includes(1))!;
      expect(rig.host.workers.flatMap(worker => worker.calls)).to.have.members([1, 'free']);
      const other = rig.host.workers.find(worker => worker.calls.includes('free'))!;
      other.reply(await other.call('free'));
      await free;
      for (const value of [1, 2, 3]) first.reply(await first.call(value));
      expect(await Promise.all(calls)).to.deep.equal([1, 2, 3]);
    });

    it('goes on at another process when its own dies, order kept', async () => {
      await started({ minWorkers: 2, maxWorkers: 2 });
      const client = rig.client();
      const first = rejection(client.run(1, { affinity: 'a' }));
      const rest = [2, 3].map(value => client.run(value, { affinity: 'a' }));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call(1)).id;
      worker.die({ signal: 'SIGKILL' });
      await first;
      const second = await rig.host.worker(2);
      second.reply(await second.call(2));
      second.reply(await second.call(3));
      expect(await Promise.all(rest)).to.deep.equal([2, 3]);
    });

    it('is not held up by one that gives up waiting', async () => {
      await started({ prefetch: 0 });
      const client = rig.client();
      const control = new AbortController();
      const first = client.run(1, { affinity: 'a' });
      const aborted = rejection(client.run(2, { affinity: 'a', signal: control.signal }));
      const last = client.run(3, { affinity: 'a' });
      control.abort();
      await aborted;
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call(1));
      worker.reply(await worker.call(3));
      expect(await Promise.all([first, last])).to.deep.equal([1, 3]);
    });

    it('lets others have their turn at a process that many lanes live on', async () => {
      await started({ prefetch: 0 });
      const client = rig.client();
      const calls: Promise<unknown>[] = [];
      for (const lane of ['a', 'b', 'c']) for (let i = 0; i < 3; i++) calls.push(client.run(`${lane}${i}`, { affinity: lane }));
      calls.push(client.run('free'));
      const worker = await rig.host.worker(1);
      const order: unknown[] = [];
      for (let i = 0; i < 10; i++) {
        const call = await worker.call();
        order.push(call.value);
        worker.reply(call);
      }
      await Promise.all(calls);
      expect(order.indexOf('free')).to.be.lessThan(8);
    });
  });
});
