import { expect } from 'chai';
import {
  BoundaryError,
  ClosingError,
  QueueTimeoutError,
  TaskNotFoundError,
  WorkerBusyError,
  WorkerCrashedError,
  WorkerNotFoundError,
  WorkerUnavailableError,
} from '../../src/errors.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { Owner } from '../../src/workers/call/owner.js';
import { rejection, Rig } from './support/rig.js';

describe('what a caller gets', () => {
  let rig: Rig;
  const started = async (...given: ConstructorParameters<typeof Rig>): Promise<Rig> => (rig = await Rig.started(...given));

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  describe('when it must wait', () => {
    it('is a WorkerBusyError for the caller who waits with most, not for the newcomer', async () => {
      await started({ maxQueue: 3, prefetch: 0 });
      const greedy = rig.client(new Owner('app', 'greedy'));
      const modest = rig.client(new Owner('app', 'modest'));
      const running = greedy.run('running');
      const waiting = [1, 2, 3].map(value => greedy.run(value));
      const newcomer = modest.run('modest');
      expect(await rejection(waiting[2]!))
        .to.be.instanceOf(WorkerBusyError)
        .and.to.include({ limit: 'maxQueue' });
      expect(await rejection(greedy.run(4))).to.be.instanceOf(WorkerBusyError);
      const worker = await rig.host.worker(1);
      for (const value of ['running', 1, 'modest', 2]) worker.reply(await worker.call(value));
      expect(await Promise.all([running, waiting[0], newcomer, waiting[1]])).to.deep.equal(['running', 1, 'modest', 2]);
    });

    it('lets one connection wait for a tenth of the queue, the application for all of it', async () => {
      await started({ maxQueue: 20, prefetch: 0 });
      const connection = rig.client(new Owner('connection', 'c'));
      void connection.run('running').catch(() => {});
      const refused = [1, 2, 3].map(value => rejection(connection.run(value)));
      expect(await refused[2])
        .to.be.instanceOf(WorkerBusyError)
        .and.to.include({ limit: 'maxQueuePerCaller' });
      const app = rig.client();
      const calls = Array.from({ length: 18 }, (_, i) => rejection(app.run(i)));
      expect(rig.workforce.status()[0]!.queued).to.equal(20);
      void calls;
      void refused;
    });

    it('is a QueueTimeoutError when it waited too long', async () => {
      await started({ queueTimeout: 1000, prefetch: 0 });
      const client = rig.client();
      const running = client.run('running');
      await rig.clock.advance(500);
      const waiting = rejection<QueueTimeoutError>(client.run('waiting'));
      await rig.clock.advance(999);
      const later = rejection<QueueTimeoutError>(client.run('later'));
      await rig.clock.advance(1);
      expect(await waiting)
        .to.be.instanceOf(QueueTimeoutError)
        .and.to.include({ timeout: 1000 });
      expect(rig.workforce.status()[0]!.queued).to.equal(1);
      await rig.clock.advance(999);
      await later;
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call('running'));
      await running;
    });

    it('makes calls of tasks wait for thirty seconds at most', async () => {
      await started({ prefetch: 0 });
      const running = rig.client().run('running');
      const waiting = rejection(rig.client(new Owner('task', 't')).run('waiting'));
      await rig.clock.advance(30_000);
      expect(await waiting).to.be.instanceOf(QueueTimeoutError);
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call('running'));
      await running;
    });
  });

  describe('when the worker cannot start', () => {
    it('is a WorkerUnavailableError with the boot error as its cause, for everyone who waits', async () => {
      rig = new Rig({}, { boot: worker => worker.link.sendValue(Kind.FAILURE, 0, 0, new SyntaxError('bad module')) });
      const start = rejection<WorkerUnavailableError>(rig.start());
      await rig.settle();
      const call = rejection<WorkerUnavailableError>(rig.client().run(1));
      await rig.clock.advance(30_000);
      for (const error of await Promise.all([start, call])) {
        expect(error).to.be.instanceOf(WorkerUnavailableError);
        expect(error.cause).to.be.instanceOf(SyntaxError).and.to.include({ message: 'bad module' });
      }
      expect(rig.workforce.list()[0]!.state).to.equal('failed');
      expect(await rejection(rig.client().run(2))).to.be.instanceOf(WorkerUnavailableError);
    });

    it('starts no storm: five attempts with growing delays, then one per maxDelay; and recovers by itself', async () => {
      const times: number[] = [];
      rig = new Rig({ startTimeout: 0 }, { boot: worker => (times.push(rig.clock.now()), worker.die({ exitCode: 1 })) });
      const start = rejection(rig.start());
      await rig.clock.advance(25_000);
      await start;
      expect(times).to.deep.equal([0, 100, 300, 700, 1500, 11_500, 21_500]);
      rig.host.script = {};
      await rig.clock.advance(10_000);
      const answer = rig.client().run('works again');
      const worker = await rig.host.worker(8);
      worker.reply(await worker.call());
      expect(await answer).to.equal('works again');
      expect(rig.workforce.list()[0]!.state).to.equal('ready');
    });

    it('waits for no worker that is never ready longer than startTimeout', async () => {
      rig = new Rig({ startTimeout: 2000 }, { boot: worker => worker.hello() });
      const start = rejection<WorkerUnavailableError>(rig.start());
      await rig.clock.advance(2000);
      expect(((await start).cause as Error).message).to.match(/startTimeout of 2000 ms/);
      expect(rig.host.workers[0]!.signals).to.deep.equal(['SIGKILL']);
    });
  });

  describe('when there is nothing to call', () => {
    it('is a WorkerNotFoundError before it is started, and for an unknown key', async () => {
      rig = new Rig();
      expect(await rejection(rig.client().run(1))).to.be.instanceOf(WorkerNotFoundError);
      await rig.start();
      expect(await rejection(rig.client().run(1, { key: 'gold' })))
        .to.be.instanceOf(WorkerNotFoundError)
        .and.to.include({ key: 'gold' });
    });

    it('is a TaskNotFoundError for a public method that is no task', async () => {
      await started();
      expect(await rejection(rig.client().helper())).to.be.instanceOf(TaskNotFoundError);
    });
  });

  describe('when a value does not fit', () => {
    it('rejects that call alone, names the path, sends nothing', async () => {
      await started();
      expect((await rejection(rig.client().run({ a: [{ f: () => 1 }] }))).message).to.match(/a\[0\]\.f|a\.0\.f/);
      await rig.settle();
      expect((await rig.host.worker(1)).calls).to.deep.equal([]);
    });

    it('is a BoundaryError for an answer that the schema refuses', async () => {
      await started();
      const rejected = rejection<BoundaryError>(rig.client().text('x'));
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call(), 5);
      const error = await rejected;
      expect(error).to.be.instanceOf(BoundaryError);
      expect(error).to.include({ worker: 'fixture', task: 'text', direction: 'output' });
    });

    it('sends an invalid input as it is: the receiver checks; with both, the sender does', async () => {
      await started();
      const passed = rig.client().text(5);
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call(5), 'the worker decides');
      await passed;
      await rig.close();
      await started({ validate: 'both' });
      expect(await rejection(rig.client().text(5)))
        .to.be.instanceOf(BoundaryError)
        .and.to.include({ direction: 'input' });
    });

    it('gives undefined for a task without output, whatever comes', async () => {
      await started();
      const answer = rig.client().nothing();
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call(), 'smuggled');
      expect(await answer).to.equal(undefined);
    });
  });

  describe('when the application closes', () => {
    it('is a ClosingError for new calls; calls that run finish, and exempt owners may call', async () => {
      await started();
      const running = rig.client().run('running');
      rig.workforce.refuse();
      expect(await rejection(rig.client().run('new'))).to.be.instanceOf(ClosingError);
      const owner = new Owner('connection', 'c');
      owner.isAllowedWhileClosing = true;
      const last = rig.client(owner).run('last');
      const worker = await rig.host.worker(1);
      const idle = rig.workforce.whenIdle();
      worker.reply(await worker.call('running'));
      worker.reply(await worker.call('last'));
      expect(await Promise.all([running, last])).to.deep.equal(['running', 'last']);
      await idle;
    });

    it('kills what has not finished in time and says what was cut off', async () => {
      await started();
      const rejected = rejection<WorkerCrashedError>(rig.client().run('long'));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call()).id;
      const closing = rig.workforce.close(1000);
      await rig.clock.advance(1000);
      expect(await closing).to.deep.equal({ calls: 1, pids: [1] });
      expect((await rejected).reason).to.equal('stop');
    });
  });
});
