import { expect } from 'chai';
import { ClosingError, UsageError, WorkerExistsError, WorkerNotFoundError, WorkerUnavailableError } from '../../src/errors.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { toValidator } from '../../src/schema.js';
import { Workers } from '../../src/workers/workers.js';
import type { FakeWorker, Heard } from './support/fake-host.js';
import { rejection, Rig } from './support/rig.js';
import { z } from 'zod';

const echo = (worker: FakeWorker, call: Heard): void => worker.reply(call);

describe('the workforce', () => {
  let rig: Rig;
  const started = async (...given: ConstructorParameters<typeof Rig>): Promise<Rig> => (rig = await Rig.started(...given));

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
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

    it('starts what could not be started with one set of options with another, under the same key', async () => {
      rig = new Rig(
        {},
        {
          boot: (worker, { options }) => {
            if (options === 'bad') worker.link.sendValue(Kind.FAILURE, 0, 0, new Error('bad options'));
            else worker.ready();
          },
        },
      );
      const refused = rejection(rig.start('gold', 'bad'));
      await rig.clock.advance(5000);
      expect(await refused).to.be.instanceOf(WorkerUnavailableError);
      const [good, better] = [rig.start('gold', 'good'), rejection(rig.start('gold', 'better'))];
      await rig.clock.advance(1000);
      await good;
      expect(await better, 'two at once, each with its own').to.be.instanceOf(WorkerExistsError);
      expect(rig.workforce.list().map(({ key, state }) => [key, state])).to.deep.equal([['gold', 'ready']]);
      const answer = rig.client(rig.owner, 'gold').run(1);
      const worker = rig.host.workers.at(-1)!;
      worker.reply(await worker.call());
      expect(await answer).to.equal(1);
    });

    it('tells a process its key and options, parsed by startOptions', async () => {
      const boots: unknown[] = [];
      rig = new Rig(
        {},
        { boot: (worker, boot) => (boots.push([boot.key, boot.options]), worker.ready()) },
        { startOptions: toValidator(z.object({ quality: z.number().default(1) })) },
      );
      await rig.start('gold', {});
      expect(boots).to.deep.equal([['gold', { quality: 1 }]]);
      expect(await rejection(rig.start('bad', { quality: 'x' }))).to.include({ code: 'ERR_PACKET_BOUNDARY' });
    });

    it('tells of events that there are, to functions', () => {
      rig = new Rig();
      const on = (event: unknown, listener: unknown) => () => rig.workforce.on(event as 'exit', listener as () => void);
      expect(on('nope', () => {})).to.throw(
        UsageError,
        "workers tell no 'nope': write 'start', 'ready', 'exit', 'restart', 'gaveUp', 'message'",
      );
      expect(on('toString', () => {})).to.throw(UsageError, "no 'toString'");
      expect(on('exit', undefined)).to.throw(UsageError, "workers.on('exit') takes a function");
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

    it('may be stopped twice, and started while it stops', async () => {
      await started({}, { call: echo });
      const handle = rig.workforce.list()[0]!;
      const stopped = [rig.workforce.stop(handle, undefined), rig.workforce.stop(handle, undefined)];
      const again = rig.start();
      await Promise.all([...stopped, again]);
      await rig.workforce.stop(handle, undefined);
      expect(await rig.client().run('second life')).to.equal('second life');
    });

    it('remembers no key that nobody started, however many are asked for', async () => {
      await started({}, { call: echo });
      for (let i = 0; i < 100; i++) await rejection(rig.client().run(1, { key: `made up ${i}` }));
      await rig.start('real');
      const client = rig.client(rig.owner, 'late');
      await rig.start('late');
      expect(await client.run(1)).to.equal(1);
      expect(rig.workforce.list().map(({ key }) => key)).to.deep.equal([undefined, 'real', 'late']);
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

    it('ends within the shortest time that it was given, though it was told to take longer first', async () => {
      await started({ closeTimeout: 0, concurrency: 1 }, { stop: () => {} });
      const running = rejection(rig.client().run(1));
      const unhurried = rig.workforce.stop(rig.workforce.list()[0]!, 0);
      await rig.settle();
      const closed = rig.workforce.close(500);
      await rig.clock.advance(2000);
      expect(await closed).to.include({ calls: 1 });
      expect(await running).to.include({ code: 'ERR_PACKET_WORKER_CRASHED' });
      await unhurried;
    });

    it('ends a process in time that was told to stop before and takes longer', async () => {
      await started({ closeTimeout: 0 }, { stop: () => {} });
      const [process] = rig.host.workers;
      const unhurried = rig.workforce.stop(rig.workforce.list()[0]!, 0);
      await rig.settle();
      const closed = rig.workforce.close(500);
      await rig.clock.advance(499);
      expect(process!.signals).to.deep.equal([]);
      await rig.clock.advance(2000);
      expect((await closed).pids).to.deep.equal([process!.pid]);
      await unhurried;
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
      expect(row).to.deep.include({
        name: 'fixture',
        key: undefined,
        pid: 1,
        state: 'ready',
        running: 1,
        queued: 2,
        done: 0,
        failed: 0,
        restarts: 0,
      });
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
});
