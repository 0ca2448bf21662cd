import { expect } from 'chai';
import { AbortError, WorkerCrashedError, WorkerTimeoutError, type CrashReason } from '../../../src/errors.js';
import { waitFor } from '../../kit/index.js';
import { rejection } from '../../workers/support/rig.js';
import { Quarters } from '../../promises/support/quarters.js';

describe('real worker processes', function () {
  describe('die, and', () => {
    it('a call under which one is killed gets a WorkerCrashedError; calls of the others finish', async () => {
      const quarters = await Quarters.open({ minWorkers: 2, maxWorkers: 2 });
      const { client } = quarters;
      const { call, pid } = await quarters.loop();
      const other = client.echo('unharmed');
      process.kill(pid, 'SIGKILL');
      const error = await rejection<WorkerCrashedError>(call);
      expect(error).to.be.instanceOf(WorkerCrashedError);
      expect(error).to.include({ pid, signal: 'SIGKILL', exitCode: null, reason: 'signal', started: true, task: 'loop', worker: 'crew' });
      expect(await other).to.equal('unharmed');
      expect(await client.echo('next')).to.equal('next');
    });

    it('no call is lost when one is killed while it is idle', async () => {
      const quarters = await Quarters.open();
      for (let i = 0; i < 5; i++) {
        const pid = quarters.pids[0]!;
        await quarters.client.echo('warm');
        process.kill(pid, 'SIGKILL');
        expect(await quarters.client.echo(i)).to.equal(i);
      }
    });

    const ends: [string, 'exit' | 'abort' | 'heap' | 'shout', unknown, CrashReason, Partial<WorkerCrashedError>][] = [
      ['exits with 0', 'exit', 0, 'exit', { exitCode: 0 }],
      ['exits with 7', 'exit', 7, 'exit', { exitCode: 7 }],
      ['aborts', 'abort', undefined, 'signal', { signal: 'SIGABRT' }],
      ['runs out of heap', 'heap', undefined, 'memory', {}],
    ];
    for (const [what, task, input, reason, more] of ends) {
      it(`the caller is told why when a task ${what}; the next call works`, async () => {
        const { client } = await Quarters.open({ resourceLimits: { maxOldGenerationSizeMb: 24 } });
        const error = await rejection<WorkerCrashedError>(client[task](input));
        expect(error).to.be.instanceOf(WorkerCrashedError);
        expect(error).to.include({ reason, started: true, ...more });
        expect(await client.echo('next')).to.equal('next');
      });
    }

    it('the caller is told why when buffers beyond the heap grow above 1.5 times maxMemory', async () => {
      const { client } = await Quarters.open({ maxMemory: 120 * 1024 * 1024 });
      expect((await rejection<WorkerCrashedError>(client.buffers())).reason).to.equal('memory');
      expect(await client.echo('next')).to.equal('next');
    });

    it('its last words reach the caller', async () => {
      const { client } = await Quarters.open();
      const error = await rejection<WorkerCrashedError>(client.shout('famous last words'));
      expect(error).to.include({ exitCode: 3 });
      expect(error.stderr).to.include('famous last words');
    });

    for (const task of ['exitLater', 'throwLater', 'rejectLater'] as const) {
      it(`an answer that was given before stands: ${task}`, async () => {
        const { client } = await Quarters.open();
        expect(await client[task](0)).to.equal('answered');
        expect(await client.echo('next')).to.equal('next');
      });
    }

    it('when all are killed at once, what waited runs on their replacements', async () => {
      const quarters = await Quarters.open({ minWorkers: 2, maxWorkers: 2 });
      const { client } = quarters;
      const loops = await Promise.all([quarters.loop(), quarters.loop()]);
      const waiting = Array.from({ length: 50 }, (_, i) => client.echo(i));
      for (const pid of quarters.pids) process.kill(pid, 'SIGKILL');
      for (const { call } of loops) expect(await rejection(call)).to.be.instanceOf(WorkerCrashedError);
      expect(await Promise.all(waiting)).to.deep.equal(Array.from({ length: 50 }, (_, i) => i));
    });
  });

  describe('cannot be launched, and', () => {
    it('whoever starts it is told why', async () => {
      const restart = { maxFailedStarts: 2, within: 10_000, delay: 1, maxDelay: 10_000 };
      const error = await rejection(Quarters.open({ cwd: '/nowhere/at/all', restart }));
      expect(error).to.include({ code: 'ERR_PACKET_WORKER_UNAVAILABLE' });
      expect((error.cause as Error).message).to.include('/nowhere/at/all');
    });
  });

  describe('hang, and', () => {
    it('a loop is killed at its timeout, though it ignores SIGTERM; others are served meanwhile', async () => {
      const quarters = await Quarters.open({ maxWorkers: 2, minWorkers: 2, timeout: 400 });
      const { client } = quarters;
      const from = performance.now();
      let isOver = false;
      const loop = rejection(client.loop(quarters.path())).finally(() => (isOver = true));
      expect(await client.echo('meanwhile')).to.equal('meanwhile');
      expect(isOver).to.equal(false);
      expect(await loop).to.be.instanceOf(WorkerTimeoutError);
      expect(performance.now() - from).to.be.at.least(395);
      expect(await client.echo('next')).to.equal('next');
    });

    it('one that is stopped is found even when it is busy, and mended', async () => {
      const quarters = await Quarters.open({ heartbeat: { every: 100, grace: 1000 } });
      const { call, pid } = await quarters.loop();
      process.kill(pid, 'SIGSTOP');
      expect((await rejection<WorkerCrashedError>(call)).reason).to.equal('heartbeat');
      expect(await quarters.client.echo('next')).to.equal('next');
    });

    it('one that is stopped while it is idle is found, too', async () => {
      const quarters = await Quarters.open({ heartbeat: { every: 100, grace: 500 } });
      const ready = quarters.nextReady();
      process.kill(quarters.pids[0]!, 'SIGSTOP');
      await ready;
      expect(await quarters.client.echo('next')).to.equal('next');
    });
  });

  describe('are told to give up, and', () => {
    it('a task that obeys keeps its process', async () => {
      const quarters = await Quarters.open();
      const pid = await quarters.client.pid();
      const control = new AbortController();
      const obeyed = rejection<AbortError>(quarters.client.obey(1, { signal: control.signal }));
      await waitFor(() => quarters.workers.status()[0]!.running === 1);
      control.abort('enough');
      expect(await obeyed)
        .to.be.instanceOf(AbortError)
        .and.to.include({ cause: 'enough' });
      expect(await quarters.client.pid()).to.equal(pid);
    });

    it('a task that does not loses it after cancelGrace, its caller waits for nothing', async () => {
      const quarters = await Quarters.open({ cancelGrace: 200 });
      const ready = quarters.nextReady();
      const control = new AbortController();
      const { call } = await quarters.loop({ signal: control.signal });
      let isReplaced = false;
      void ready.then(() => (isReplaced = true));
      control.abort();
      expect(await rejection(call)).to.be.instanceOf(AbortError);
      expect(isReplaced).to.equal(false);
      await ready;
      expect(await quarters.client.echo('next')).to.equal('next');
    });
  });

  describe('stream, and', () => {
    it('every item arrives once, in order', async () => {
      const { client } = await Quarters.open();
      let expected = 1;
      for await (const item of client.count(5000)) expect(item).to.equal(expected++);
      expect(expected).to.equal(5001);
    });

    it('leaving the loop frees the slot', async () => {
      const { client } = await Quarters.open();
      for await (const item of client.count(1e9)) if (item === 100) break;
      expect(await client.echo('next')).to.equal('next');
    });

    it('take what the caller sends', async () => {
      const { client } = await Quarters.open();
      const numbers = Array.from({ length: 1000 }, (_, i) => i);
      expect(await client.sum(undefined, { send: numbers })).to.equal(499_500);
    });
  });

  describe('are replaced, and', () => {
    it('no call fails while all are restarted under load', async () => {
      const quarters = await Quarters.open({ minWorkers: 2, maxWorkers: 2 });
      let running = true;
      let done = 0;
      const load = Array.from({ length: 20 }, async () => {
        while (running) {
          expect(await quarters.client.echo(done)).to.be.a('number');
          done++;
        }
      });
      const before = quarters.pids;
      await quarters.workers.restart(quarters.blueprint.cls);
      const enough = done + 100;
      await waitFor(() => done > enough);
      running = false;
      await Promise.all(load);
      expect(quarters.pids).to.have.length(2);
      for (const pid of before) expect(quarters.pids).to.not.include(pid);
    });

    it('what was passed to them is not kept', async () => {
      const { client } = await Quarters.open();
      // oxlint-disable-next-line typescript/no-implied-eval -- the garbage collector, as a function
      const gc = await import('node:v8')
        .then(v8 => (v8.setFlagsFromString('--expose-gc'), import('node:vm')))
        .then(vm => vm.runInNewContext('gc') as () => void);
      const passed: WeakRef<object>[] = [];
      for (let i = 0; i < 50; i++) {
        const input = { i };
        const output = (await client.echo(input)) as object;
        passed.push(new WeakRef(input), new WeakRef(output));
      }
      await waitFor(() => (gc(), passed.filter(ref => ref.deref() !== undefined).length <= 2), {
        what: 'arguments and answers to be collected',
      });
    });
  });
});
