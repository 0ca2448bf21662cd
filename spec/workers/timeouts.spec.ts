import { expect } from 'chai';
import { WorkerCrashedError, WorkerTimeoutError } from '../../src/errors.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { rejection, Rig } from './support/rig.js';

describe('what a caller gets', () => {
  let rig: Rig;
  const started = async (...given: ConstructorParameters<typeof Rig>): Promise<Rig> => (rig = await Rig.started(...given));

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
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
      const why: unknown[] = [];
      rig.workforce.on('exit', (_, { reason }) => why.push(reason));
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
      expect(why, 'of the process itself').to.deep.equal(['timeout']);
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

    it('names the neighbour as the reason for those that had time left', async () => {
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
});
