import { getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { AbortError, Connection, InjectWorker, Module, OnData, QueueTimeoutError, WorkerTimeoutError, type WorkerClient } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { CaseWorker } from '../../../fixtures/workers/case.worker.js';
import { soon, waitFor } from '../../../kit/index.js';
import { failure, Scene } from '../scene.js';

/** Cases 16 to 26, for inline workers and for processes. */
export function cancelCases(where: 'process' | 'inline'): void {
  describe(`cancel and time limits, ${where}`, function () {
    it('16. abort queued → removed, worker untouched, never executed', async () => {
      const scene = await Scene.open({ where, prefetch: 0, maxQueue: 1 });
      const held = await scene.hold();
      const control = new AbortController();
      const queued = failure(scene.note('aborted', { signal: control.signal }));
      expect(scene.queued).to.equal(1);
      control.abort();
      expect(await queued).to.be.instanceOf(AbortError);
      // Its place is free again, in a queue of one.
      expect(scene.queued).to.equal(0);
      const behind = scene.note('behind');
      held.release();
      expect(await behind).to.equal(held.pid);
      expect(scene.journal).to.deep.equal(['behind']);
      expect(scene.exits).to.deep.equal([]);
    });

    it('17. abort running, handler honours `signal` → worker reused (same pid)', async () => {
      const scene = await Scene.open({ where });
      const control = new AbortController();
      const pid = await new Promise<number>(begun => {
        const call = scene.client.obey({ file: scene.file }, { signal: control.signal, on: { begun } });
        call.catch(() => {});
      });
      control.abort();
      expect(await scene.client.pid()).to.equal(pid);
      expect(scene.journal).to.deep.equal(['cleaning: AbortError', 'cleaned']);
      expect(scene.exits).to.deep.equal([]);
    });

    it('18. abort running, handler ignores → after grace the worker is killed and replaced; caller got AbortError with cause = signal.reason at once', async () => {
      const scene = await Scene.open({ where, cancelGrace: '300ms' });
      const control = new AbortController();
      const reason = { why: 'enough' };
      const { call } = await scene.begun('hang', { signal: control.signal });
      const replaced = scene.nextReady();
      const from = performance.now();
      control.abort(reason);
      const error = await failure<AbortError>(call);
      expect(error).to.be.instanceOf(AbortError);
      expect(error.cause).to.equal(reason);
      expect(scene.exits, 'it has its grace').to.deep.equal([]);
      await replaced;
      expect(performance.now() - from).to.be.at.least(295);
      expect(scene.exits[0]!.why.reason).to.equal('timeout');
      expect(await scene.client.echo('next')).to.equal('next');
    });

    it('19. already-aborted signal → rejects, nothing sent', async () => {
      const scene = await Scene.open({ where });
      await scene.client.pid();
      const signal = AbortSignal.abort('before');
      expect(await failure(scene.note('never', { signal })))
        .to.be.instanceOf(AbortError)
        .and.to.include({ cause: 'before' });
      await scene.client.pid();
      expect(scene.journal).to.deep.equal([]);
      expect(scene.workers.status()[0]).to.include({ done: 2, failed: 0 });
    });

    it('20. abort does not disturb other calls multiplexed on the same worker', async () => {
      const scene = await Scene.open({ where, concurrency: 4 });
      const held = await scene.hold();
      const control = new AbortController();
      const obeying = new Promise(begun => {
        scene.client.obey({ file: scene.file }, { signal: control.signal, on: { begun } }).catch(() => {});
      });
      await obeying;
      control.abort();
      await waitFor(() => scene.journal.includes('cleaned'));
      expect(await scene.client.pid()).to.equal(held.pid);
      held.release();
      expect(await held.call).to.equal(held.pid);
      expect(scene.exits).to.deep.equal([]);
    });

    it('21. listener removed from the signal after completion: 10 000 calls on one signal → no MaxListeners warning', async () => {
      const scene = await Scene.open({ where });
      const warnings: Error[] = [];
      const onWarning = (warning: Error): void => void warnings.push(warning);
      process.on('warning', onWarning);
      try {
        const { signal } = new AbortController();
        for (let round = 0; round < 10; round++)
          await Promise.all(Array.from({ length: 1000 }, (_, i) => scene.client.echo(i, { signal })));
        expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
        // Warnings are told in a later turn.
        await new Promise(resolve => setImmediate(resolve));
        expect(warnings).to.deep.equal([]);
      } finally {
        process.off('warning', onWarning);
      }
    });

    it('22. time limit starts at dispatch, not at enqueue; a separate queue-wait limit exists', async () => {
      const scene = await Scene.open({ where, prefetch: 0, timeout: '1s', queueTimeout: false });
      // Four of 400 ms: the last one waits longer than its limit and is well within it when it runs.
      expect(await Promise.all([1, 2, 3, 4].map(() => scene.client.spin(400)))).to.have.length(4);
      const impatient = await Scene.open({ where, prefetch: 0, queueTimeout: '100ms' });
      const held = await impatient.hold();
      const error = await failure<QueueTimeoutError>(impatient.note('waited'));
      expect(error).to.be.instanceOf(QueueTimeoutError).and.to.include({ timeout: 100, task: 'note' });
      held.release();
      await impatient.client.pid();
      expect(impatient.journal).to.deep.equal([]);
    });

    it('23. soft limit → handler sees it, may clean up; hard limit kills', async () => {
      const scene = await Scene.open({ where, softTimeout: '150ms', timeout: '600ms' });
      const soft = await failure<WorkerTimeoutError>(scene.client.obey({ file: scene.file }));
      expect(soft).to.be.instanceOf(WorkerTimeoutError).and.to.include({ timeout: 150, task: 'obey', worker: 'case_worker' });
      expect(scene.journal).to.deep.equal(['cleaning: WorkerTimeoutError', 'cleaned']);
      expect(scene.exits).to.deep.equal([]);
      const hard = await scene.begun('hang');
      expect(await failure(hard.call))
        .to.be.instanceOf(WorkerTimeoutError)
        .and.to.include({ timeout: 600 });
      await waitFor(() => scene.exits.length === 1);
    });

    it('24. a worker in cancel clean-up gets no new task', async () => {
      const scene = await Scene.open({ where, cancelGrace: '10s' });
      const control = new AbortController();
      await new Promise(begun => {
        scene.client.obey({ file: scene.file, gate: scene.path('gate') }, { signal: control.signal, on: { begun } }).catch(() => {});
      });
      control.abort();
      await waitFor(() => scene.journal.includes('cleaning: AbortError'));
      const next = scene.note('next');
      expect(scene.journal).to.deep.equal(['cleaning: AbortError']);
      scene.touch('gate');
      await next;
      expect(scene.journal).to.deep.equal(['cleaning: AbortError', 'cleaned', 'next']);
    });

    it('25. cancelling a queued task does not stall the tasks behind it', async () => {
      const scene = await Scene.open({ where });
      const held = await scene.hold();
      const controls = Array.from({ length: 20 }, () => new AbortController());
      const queued = controls.map(({ signal }, i) => scene.note(i, { signal }));
      const settled = Promise.allSettled(queued);
      for (const [i, control] of controls.entries()) if (i % 3 === 1) control.abort();
      held.release();
      const results = await soon(settled, { within: '5s' });
      expect(results.map(({ status }) => status)).to.deep.equal(controls.map((_, i) => (i % 3 === 1 ? 'rejected' : 'fulfilled')));
      expect(scene.journal).to.deep.equal([...controls.keys()].filter(i => i % 3 !== 1).map(String));
    });

    it('26. connection closes → its in-flight worker calls are aborted', async () => {
      let started!: () => void;
      const begun = new Promise<void>(resolve => (started = resolve));
      @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
      class Asking {
        constructor(@InjectWorker(CaseWorker) private readonly worker: WorkerClient<CaseWorker>) {}
        @OnData() obey(file: string): Promise<void> {
          return this.worker.obey({ file }, { on: { begun: started } });
        }
      }
      @Module({ connections: [Asking], workers: [CaseWorker] })
      class AskingModule {}
      const scene = await Scene.open({ where: 'inline' });
      const app = await createTestApp(AskingModule).start({ runtime: where });
      try {
        const client = await app.connect<string, string>(Asking);
        client.send(scene.file);
        await soon(begun, { within: '5s' });
        client.destroy();
        await waitFor(() => readFileSync(scene.file, 'utf8') === 'cleaning: AbortError\ncleaned\n');
        await waitFor(() => app.workers.status()[0]!.running === 0);
        expect(app.workers.status()[0]!.restarts).to.equal(0);
      } finally {
        await app.close();
      }
    });
  });
}
