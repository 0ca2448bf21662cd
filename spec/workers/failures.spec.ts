import { expect } from 'chai';
import {
  AbortError,
  BoundaryError,
  ClosingError,
  QueueTimeoutError,
  TaskNotFoundError,
  WorkerBusyError,
  WorkerCrashedError,
  WorkerNotFoundError,
  WorkerTimeoutError,
  WorkerUnavailableError,
} from '../../src/errors.js';
import { Kind } from '../../src/wire/protocol.js';
import { Owner } from '../../src/workers/owner.js';
import { rejection, Rig } from './support/rig.js';

describe('what a caller gets', () => {
  let rig: Rig;
  const started = async (...given: ConstructorParameters<typeof Rig>): Promise<Rig> => (rig = await Rig.started(...given));

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  describe('when the task throws', () => {
    it("is that error, with the task's frames first, then the process, then the asker's", async () => {
      await started();
      const { host } = rig;
      const client = rig.client();
      async function asker(): Promise<unknown> {
        return await client.run(1);
      }
      const rejected = rejection<TypeError & { extra: number }>(asker());
      const worker = await host.worker(1);
      const error = Object.assign(new TypeError('no such thing'), { extra: 7 });
      error.stack = 'TypeError: no such thing\n    at task (user.ts:1:1)';
      worker.fail(await worker.call(), error);
      const got = await rejected;
      expect(got).to.be.instanceOf(TypeError);
      expect(got.extra).to.equal(7);
      const lines = got.stack!.split('\n').map(line => line.trim());
      expect(lines.slice(0, 3)).to.deep.equal(['TypeError: no such thing', 'at task (user.ts:1:1)', 'at [worker fixture pid 1]']);
      expect(got.stack).to.match(/at async asker .*failures\.spec/);
    });
  });

  describe('when the process dies', () => {
    it('is a WorkerCrashedError that says who, how and whether it had begun', async () => {
      await started();
      const rejected = rejection<WorkerCrashedError>(rig.client().run('poison'));
      const worker = await rig.host.worker(1);
      const { id } = await worker.call();
      worker.begun = id;
      worker.stderr = 'last words';
      worker.die({ exitCode: 7 });
      const error = await rejected;
      expect(error).to.be.instanceOf(WorkerCrashedError);
      expect(error).to.include({ code: 'ERR_PACKET_WORKER_CRASHED', worker: 'fixture', key: undefined, task: 'run', pid: 1 });
      expect(error).to.include({ exitCode: 7, signal: null, reason: 'exit', started: true, stderr: 'last words' });
    });

    for (const [what, how, reason] of [
      ['a signal', { signal: 'SIGKILL' as const }, 'signal'],
      ['memory', { signal: 'SIGABRT' as const, memory: true }, 'memory'],
      ['exit', { exitCode: 0 }, 'exit'],
    ] as const) {
      it(`names ${what} as the reason`, async () => {
        await started();
        const rejected = rejection<WorkerCrashedError>(rig.client().run(1));
        const worker = await rig.host.worker(1);
        worker.begun = (await worker.call()).id;
        worker.die(how);
        expect((await rejected).reason).to.equal(reason);
      });
    }

    it('reads what is still in the pipe first: an answer written before the end counts', async () => {
      await started();
      const answer = rig.client().run(1);
      const worker = await rig.host.worker(1);
      const call = await worker.call();
      worker.begun = call.id;
      worker.reply(call, 'made it');
      worker.die({ signal: 'SIGKILL' });
      expect(await answer).to.equal('made it');
    });

    it('settles a second after the exit though the link stays open', async () => {
      await started();
      const rejected = rejection<WorkerCrashedError>(rig.client().run(1));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call()).id;
      worker.exit({ exitCode: 1 });
      await rig.clock.advance(1000);
      expect(await rejected).to.be.instanceOf(WorkerCrashedError);
    });

    it('kills a process whose link has ended though it lives', async () => {
      await started();
      const rejected = rejection<WorkerCrashedError>(rig.client().run(1));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call()).id;
      worker.immortal = true;
      worker.link.end();
      await rig.clock.advance(1000);
      await rejected;
      expect(worker.signals).to.include('SIGKILL');
      worker.exit({ signal: 'SIGKILL' });
    });

    it('dispatches what was not begun again, in the old order, and fails what was', async () => {
      await started({ prefetch: 10 });
      const client = rig.client();
      const first = rejection<WorkerCrashedError>(client.run('begun'));
      const others = ['b', 'c', 'd'].map(value => client.run(value));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call('begun')).id;
      await worker.call('d');
      worker.die({ signal: 'SIGKILL' });
      expect((await first).started).to.equal(true);
      const second = await rig.host.worker(2);
      await second.call('d');
      expect(second.calls).to.deep.equal(['b', 'c']);
      for (const value of ['b', 'c']) second.reply(await second.call(value));
      second.link.sendValue(Kind.REPLY, 3, 0, 'd');
      expect(await Promise.all(others)).to.deep.equal(['b', 'c', 'd']);
    });

    it("says 'maybe' of several that were marked together", async () => {
      await started({ prefetch: 10 });
      const client = rig.client();
      const rejected = [1, 2, 3].map(value => rejection<WorkerCrashedError>(client.run(value)));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call(3)).id;
      worker.die({ signal: 'SIGKILL' });
      expect((await Promise.all(rejected)).map(({ started }) => started)).to.deep.equal(['maybe', 'maybe', 'maybe']);
    });

    it('sends a call to a process that was killed while idle to its replacement: none is lost', async () => {
      await started();
      const worker = await rig.host.worker(1);
      worker.die({ signal: 'SIGKILL' });
      const answer = rig.client().run('after');
      await rig.clock.advance(200);
      const second = await rig.host.worker(2);
      second.reply(await second.call());
      expect(await answer).to.equal('after');
    });

    it('copies the argument at the call: what is sent again is what was meant', async () => {
      await started();
      const input = { text: 'before' };
      const answer = rig.client().run(input);
      input.text = 'after';
      const worker = await rig.host.worker(1);
      await worker.next(Kind.CALL);
      worker.die({ signal: 'SIGKILL' });
      const second = await rig.host.worker(2);
      const call = await second.call();
      expect(call.value).to.deep.equal({ text: 'before' });
      second.reply(call);
      await answer;
    });

    it('tries an idempotent task again, and tells of the earlier attempts when it fails for good', async () => {
      await started({}, { context: true });
      const rejected = rejection<WorkerCrashedError>(rig.client().again('x'));
      for (const number of [1, 2]) {
        const worker = await rig.host.worker(number);
        expect((await worker.next(Kind.META)).value).to.include({ attempt: number });
        worker.begun = (await worker.call()).id;
        worker.die({ signal: 'SIGKILL' });
      }
      const error = await rejected;
      expect(error.pid).to.equal(2);
      expect(error.previous.map(previous => (previous as WorkerCrashedError).pid)).to.deep.equal([1]);
    });

    it('never runs anything else twice', async () => {
      await started();
      const rejected = rejection(rig.client().run('once'));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call()).id;
      worker.die({ signal: 'SIGKILL' });
      await rejected;
      const second = await rig.host.worker(2);
      await rig.settle();
      expect(second.calls).to.deep.equal([]);
    });

    it('replaces at once processes that die under calls, however often', async () => {
      await started();
      for (let number = 1; number <= 20; number++) {
        const rejected = rejection(rig.client().run('poison'));
        const worker = await rig.host.worker(number);
        worker.begun = (await worker.call()).id;
        worker.die({ signal: 'SIGSEGV' });
        expect(await rejected).to.be.instanceOf(WorkerCrashedError);
      }
      expect(rig.clock.now()).to.equal(0);
    });
  });

  describe('when a hard timeout passes', () => {
    it('is a WorkerTimeoutError; the process is killed and replaced, the next call works', async () => {
      await started({ timeout: 1000 });
      const rejected = rejection<WorkerTimeoutError>(rig.client().run('loop'));
      const worker = await rig.host.worker(1);
      await worker.call();
      await rig.clock.advance(999);
      expect(worker.signals).to.deep.equal([]);
      await rig.clock.advance(1);
      const error = await rejected;
      expect(error).to.be.instanceOf(WorkerTimeoutError);
      expect(error).to.include({ timeout: 1000, task: 'run', worker: 'fixture' });
      expect(worker.signals).to.deep.equal(['SIGKILL']);
      const answer = rig.client().run('next');
      const second = await rig.host.worker(2);
      second.reply(await second.call());
      expect(await answer).to.equal('next');
    });

    it("is the task's own before the worker's, and the call's own when it is shorter", async () => {
      await started({ timeout: 1000 });
      const quick = rejection<WorkerTimeoutError>(rig.client().quick(1));
      await (await rig.host.worker(1)).call();
      await rig.clock.advance(100);
      expect((await quick).timeout).to.equal(100);
      const shorter = rejection<WorkerTimeoutError>(rig.client().run(1, { timeout: 50 }));
      await (await rig.host.worker(2)).call();
      await rig.clock.advance(50);
      expect((await shorter).timeout).to.equal(50);
      const longer = rejection<WorkerTimeoutError>(rig.client().run(1, { timeout: '1h' }));
      await (await rig.host.worker(3)).call();
      await rig.clock.advance(1000);
      expect((await longer).timeout).to.equal(1000);
    });

    it('lets an answer win that has arrived when the timer fires late', async () => {
      await started({ timeout: 1000 });
      const answer = rig.client().run(1);
      const worker = await rig.host.worker(1);
      const call = await worker.call();
      const advanced = rig.clock.advance(0);
      worker.reply(call, 'late but here');
      worker.link.flush();
      // The timer fires in the same turn, before anything is read.
      void rig.clock.advance(1000);
      expect(await answer).to.equal('late but here');
      await advanced;
      expect(worker.signals).to.deep.equal([]);
    });

    it('starts its clock when the slot falls free, not in the queue', async () => {
      await started({ timeout: 1000, prefetch: 1 });
      const client = rig.client();
      const first = client.run('first');
      const second = client.run('second');
      const third = client.run('third');
      const worker = await rig.host.worker(1);
      const call = await worker.call('first');
      await rig.clock.advance(900);
      worker.reply(call);
      await first;
      await rig.clock.advance(900);
      worker.reply(await worker.call('second'));
      await second;
      await rig.clock.advance(900);
      worker.reply(await worker.call('third'));
      expect(await third).to.equal('third');
      expect(worker.signals).to.deep.equal([]);
    });

    it('dispatches the calls that waited behind it again, and blames the neighbour for those it had begun', async () => {
      await started({ timeout: 1000, prefetch: 10 });
      const client = rig.client();
      const loop = rejection(client.run('loop'));
      const marked = rejection<WorkerCrashedError>(client.run('marked'));
      const waiting = client.run('waiting');
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call('marked')).id;
      await worker.call('waiting');
      await rig.clock.advance(1000);
      expect(await loop).to.be.instanceOf(WorkerTimeoutError);
      expect((await marked).reason).to.equal('neighbour');
      const second = await rig.host.worker(2);
      second.reply(await second.call('waiting'));
      expect(await waiting).to.equal('waiting');
    });

    it('asks for a pong where several run: who answers may let the neighbours finish before it is replaced', async () => {
      await started({ timeout: 1000, concurrency: 4 });
      const client = rig.client();
      const hanging = rejection(client.run('hangs'));
      const worker = await rig.host.worker(1);
      await worker.call('hangs');
      await rig.clock.advance(500);
      const neighbour = client.run('neighbour');
      const call = await worker.call('neighbour');
      await rig.clock.advance(500);
      expect(await hanging).to.be.instanceOf(WorkerTimeoutError);
      const ping = await worker.next(Kind.PING);
      worker.link.send(Kind.PONG, 0, ping.arg);
      await rig.settle();
      expect(worker.signals).to.deep.equal([]);
      worker.reply(call);
      expect(await neighbour).to.equal('neighbour');
      await rig.settle();
      expect(worker.signals).to.deep.equal(['SIGKILL']);
      expect(rig.host.workers).to.have.length(2);
    });

    it('kills it with its neighbours when no pong comes', async () => {
      await started({ timeout: 1000, concurrency: 4 });
      const client = rig.client();
      const hanging = rejection(client.run('hangs'));
      const worker = await rig.host.worker(1);
      await worker.call('hangs');
      await rig.clock.advance(500);
      const neighbour = rejection<WorkerCrashedError>(client.run('neighbour'));
      worker.begun = (await worker.call('neighbour')).id;
      await rig.clock.advance(500);
      expect(await hanging).to.be.instanceOf(WorkerTimeoutError);
      await rig.clock.advance(400);
      worker.heard.length = 0;
      await rig.clock.advance(600);
      expect(worker.signals).to.deep.equal(['SIGKILL']);
      expect(await neighbour).to.be.instanceOf(WorkerTimeoutError);
    });

    it("names the neighbour as the reason for those that had time left", async () => {
      await started({ concurrency: 4 });
      const client = rig.client();
      const hanging = rejection(client.quick('hangs'));
      const neighbour = rejection<WorkerCrashedError>(client.run('neighbour'));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call('neighbour')).id;
      await rig.clock.advance(100);
      expect(await hanging).to.be.instanceOf(WorkerTimeoutError);
      await rig.clock.advance(1000);
      expect((await neighbour).reason).to.equal('neighbour');
    });

    it('twenty in a row do not switch the service off', async () => {
      await started({ timeout: 1000 });
      for (let number = 1; number <= 20; number++) {
        const rejected = rejection(rig.client().run('loop'));
        await (await rig.host.worker(number)).call();
        await rig.clock.advance(1000);
        expect(await rejected).to.be.instanceOf(WorkerTimeoutError);
      }
    });
  });

  describe('when a soft timeout passes', () => {
    it('is whatever the task makes of its aborted signal', async () => {
      await started({ softTimeout: 100, timeout: 1000 });
      const answer = rig.client().run(1);
      const worker = await rig.host.worker(1);
      const call = await worker.call();
      await rig.clock.advance(100);
      expect(await worker.next(Kind.CANCEL)).to.include({ id: call.id, arg: 1 });
      worker.reply(call, 'cut short');
      expect(await answer).to.equal('cut short');
      expect(worker.signals).to.deep.equal([]);
    });
  });

  describe('when its signal is aborted', () => {
    it('is an AbortError at once, its cause the reason; the process is told, and kept when it obeys', async () => {
      await started();
      const control = new AbortController();
      const rejected = rejection<AbortError>(rig.client().run(1, { signal: control.signal }));
      const worker = await rig.host.worker(1);
      const call = await worker.call();
      control.abort('enough');
      const error = await rejected;
      expect(error).to.be.instanceOf(AbortError);
      expect(error).to.include({ name: 'AbortError', code: 'ERR_PACKET_ABORTED', cause: 'enough' });
      expect(await worker.next(Kind.CANCEL)).to.include({ id: call.id, arg: 0 });
      worker.fail(call, new Error('aborted'));
      const answer = rig.client().run(2);
      worker.reply(await worker.call(2));
      expect(await answer).to.equal(2);
      await rig.clock.advance(10_000);
      expect(worker.signals).to.deep.equal([]);
    });

    it('keeps the slot of a task that cleans up: no new call goes there', async () => {
      await started();
      const control = new AbortController();
      const rejected = rejection(rig.client().run(1, { signal: control.signal }));
      const worker = await rig.host.worker(1);
      const call = await worker.call();
      control.abort();
      await rejected;
      const next = rig.client().run(2);
      await rig.settle();
      expect(worker.calls).to.deep.equal([]);
      worker.link.send(Kind.REPLY, call.id, 0);
      worker.reply(await worker.call(2));
      await next;
    });

    it('kills a process whose task ignores it, after cancelGrace', async () => {
      await started({ cancelGrace: 5000 });
      const control = new AbortController();
      const rejected = rejection(rig.client().run(1, { signal: control.signal }));
      const worker = await rig.host.worker(1);
      await worker.call();
      control.abort();
      await rejected;
      await rig.clock.advance(4999);
      expect(worker.signals).to.deep.equal([]);
      await rig.clock.advance(1);
      expect(worker.signals).to.deep.equal(['SIGKILL']);
      expect(rig.host.workers).to.have.length(2);
    });

    it('takes a waiting call out of the queue: it never runs, and those behind it do', async () => {
      await started({ prefetch: 0 });
      const control = new AbortController();
      const client = rig.client();
      const first = client.run('first');
      const aborted = rejection(client.run('aborted', { signal: control.signal }));
      const last = client.run('last');
      control.abort();
      expect(await aborted).to.be.instanceOf(AbortError);
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call('first'));
      worker.reply(await worker.call('last'));
      await Promise.all([first, last]);
      expect(worker.kinds).to.not.include('CANCEL');
    });

    it('frees the place of a call that waited at the process and will not begin', async () => {
      await started({ prefetch: 10 });
      const control = new AbortController();
      const client = rig.client();
      const first = client.run('first');
      const aborted = rejection(client.run('aborted', { signal: control.signal }));
      const worker = await rig.host.worker(1);
      const call = await worker.call('aborted');
      control.abort();
      await aborted;
      await worker.next(Kind.CANCEL);
      worker.link.send(Kind.DROPPED, call.id, 0);
      await rig.clock.advance(60_000);
      expect(worker.signals).to.deep.equal([]);
      worker.reply(await worker.call('first'));
      await first;
    });

    it('sends nothing when it was aborted before', async () => {
      await started();
      expect(await rejection(rig.client().run(1, { signal: AbortSignal.abort('before') }))).to.include({ name: 'AbortError', cause: 'before' });
      await rig.settle();
      expect((await rig.host.worker(1)).calls).to.deep.equal([]);
    });

    it('leaves no listener behind: ten thousand calls on one signal warn nobody', async () => {
      await started({ prefetch: 0 }, { call: (worker, call) => worker.reply(call) });
      const control = new AbortController();
      const warnings: Error[] = [];
      const warn = (warning: Error): unknown => warnings.push(warning);
      process.on('warning', warn);
      const client = rig.client();
      await Promise.all(Array.from({ length: 10_000 }, (_, i) => client.run(i, { signal: control.signal })));
      await rig.settle();
      process.off('warning', warn);
      expect(warnings).to.deep.equal([]);
    });

    it("is aborted when its owner is: a connection's calls end with it, and tells do not", async () => {
      await started({ prefetch: 10 });
      const owner = new Owner('connection', 'c1');
      const client = rig.client(owner);
      const rejected = rejection(client.run('call'));
      client.tell('told');
      owner.abort(new Error('the peer is gone'));
      expect(await rejected).to.be.instanceOf(AbortError);
      const worker = await rig.host.worker(1);
      await worker.next(Kind.MAIL, 'told');
      const cancels = worker.kinds.filter(kind => kind === 'CANCEL');
      expect(cancels).to.have.length(1);
      const last = client.run('in @OnClose');
      worker.link.send(Kind.REPLY, 1, 0);
      worker.link.send(Kind.REPLY, 2, 0);
      worker.reply(await worker.call('in @OnClose'));
      expect(await last).to.equal('in @OnClose');
    });
  });

  describe('when it must wait', () => {
    it('is a WorkerBusyError for the caller who waits with most, not for the newcomer', async () => {
      await started({ maxQueue: 3, prefetch: 0 });
      const greedy = rig.client(new Owner('app', 'greedy'));
      const modest = rig.client(new Owner('app', 'modest'));
      const running = greedy.run('running');
      const waiting = [1, 2, 3].map(value => greedy.run(value));
      const newcomer = modest.run('modest');
      expect(await rejection(waiting[2]!)).to.be.instanceOf(WorkerBusyError).and.to.include({ limit: 'maxQueue' });
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
      expect(await refused[2]).to.be.instanceOf(WorkerBusyError).and.to.include({ limit: 'maxQueuePerCaller' });
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
      expect(await waiting).to.be.instanceOf(QueueTimeoutError).and.to.include({ timeout: 1000 });
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
      expect((await start).message).to.match(/startTimeout of 2000 ms/);
      expect(rig.host.workers[0]!.signals).to.deep.equal(['SIGKILL']);
    });
  });

  describe('when there is nothing to call', () => {
    it('is a WorkerNotFoundError before it is started, and for an unknown key', async () => {
      rig = new Rig();
      expect(await rejection(rig.client().run(1))).to.be.instanceOf(WorkerNotFoundError);
      await rig.start();
      expect(await rejection(rig.client().run(1, { key: 'gold' }))).to.be.instanceOf(WorkerNotFoundError).and.to.include({ key: 'gold' });
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
      expect(await rejection(rig.client().text(5))).to.be.instanceOf(BoundaryError).and.to.include({ direction: 'input' });
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
      owner.exempt = true;
      const last = rig.client(owner).run('last');
      const worker = await rig.host.worker(1);
      const idle = rig.workforce.idle();
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
