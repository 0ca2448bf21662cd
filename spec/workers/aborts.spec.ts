import { expect } from 'chai';
import { AbortError } from '../../src/errors.js';
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
      expect(await rejection(rig.client().run(1, { signal: AbortSignal.abort('before') }))).to.include({
        name: 'AbortError',
        cause: 'before',
      });
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
});
