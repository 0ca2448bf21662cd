import { expect } from 'chai';
import { WorkerCrashedError } from '../../src/errors.js';
import { Kind } from '../../src/wire/link/protocol.js';
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
      expect(got.stack).to.match(/at async asker .*crashes\.spec/);
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
      expect(worker.signals).to.include('SIGKILL');
      worker.exit({ signal: 'SIGKILL' });
      expect((await rejected).signal).to.equal('SIGKILL');
    });

    it('gives up a process that does not even end by SIGKILL', async () => {
      await started();
      const rejected = rejection<WorkerCrashedError>(rig.client().run(1));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call()).id;
      worker.immortal = true;
      worker.link.end();
      await rig.clock.advance(2000);
      expect((await rejected).exitCode).to.equal(null);
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
});
