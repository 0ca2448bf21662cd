import { expect } from 'chai';
import {
  AbortError,
  BoundaryError,
  ClosingError,
  InjectWorker,
  spawn,
  Task,
  Worker,
  WorkerCrashedError,
  type WorkerClient,
} from 'packet-ts';
import { z } from 'zod';
import { SmallError, SmallWorker, TenantWorker } from '../fixtures/workers/small.worker.js';
import { processesOf, spawnScript, waitFor } from '../kit/index.js';

@Worker('spawn: deep', { timeout: '1s', autoLoad: false, runtime: 'inline' })
class DeepWorker {
  @Task({ output: z.string() }) name(): string {
    return 'deep';
  }
}

class DeepProvider {
  constructor(@InjectWorker(DeepWorker) readonly deep: WorkerClient<DeepWorker>) {}
}

@Worker('spawn: outer', { timeout: '1s', providers: [DeepProvider] })
class OuterWorker {
  constructor(private readonly provider: DeepProvider) {}

  @Task({ output: z.string() }) name(): Promise<string> {
    return this.provider.deep.name();
  }
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as Error,
  );
}

for (const runtime of ['process', 'inline'] as const) {
  describe(`spawn, runtime '${runtime}'`, function () {
    let small: Awaited<ReturnType<typeof spawn<typeof SmallWorker>>>;

    before(async () => {
      small = await spawn(SmallWorker, { logger: false, runtime });
    });
    after(() => small.close());

    it('calls a task with its input and gives its output', async () => {
      expect(await small.echo('žluť 🐎')).to.equal('žluť 🐎');
      expect(await small.started()).to.equal(1);
    });

    it('runs the worker where the runtime says', async () => {
      expect((await small.pid()) === process.pid).to.equal(runtime === 'inline');
    });

    it('rejects an input that does not fit, naming worker, task and path', async () => {
      const error = (await failure(small.echo(1 as never))) as BoundaryError;
      expect(error).to.be.instanceOf(BoundaryError);
      expect(error).to.include({ worker: 'small_worker', task: 'echo', direction: 'input', code: 'ERR_PACKET_BOUNDARY' });
    });

    it('rebuilds what a task throws: its class, its properties, its cause and both stacks', async () => {
      const error = (await failure(small.fail('no'))) as SmallError;
      expect(error).to.be.instanceOf(SmallError);
      expect(error).to.include({ name: 'SmallError', message: 'no', shelf: 7 });
      expect(error.cause).to.be.instanceOf(TypeError).and.to.include({ message: 'beneath' });
      expect(error.stack).to.match(/small\.worker\.ts:\d+/);
    });

    it('streams items, with events before them, and ends when the loop is left', async () => {
      const halves: number[] = [];
      const items: number[] = [];
      for await (const item of small.count(1000, { on: { half: n => halves.push(n) } })) {
        items.push(item);
        if (item === 600) break;
      }
      expect(items).to.have.length(600);
      expect(halves).to.deep.equal([500]);
    });

    it('aborts a call at once, with the reason as the cause', async () => {
      const controller = new AbortController();
      const call = failure(small.wait(undefined, { signal: controller.signal }));
      await small.ask('behind it', { signal: AbortSignal.timeout(1) }).catch(() => {});
      controller.abort(new Error('enough'));
      const error = await call;
      expect(error).to.be.instanceOf(AbortError);
      expect(error).to.include({ name: 'AbortError', code: 'ERR_PACKET_ABORTED' });
      expect((error.cause as Error).message).to.equal('enough');
      expect(await small.echo('alive')).to.equal('alive');
    });

    it('asks the mailbox', async () => {
      expect(await small.ask({ n: new Map([[1, 2n]]) })).to.deep.equal({ got: { n: new Map([[1, 2n]]) } });
    });

    it('starts along what the worker injects, and passes its start options on', async () => {
      const tenant = await spawn(TenantWorker, { logger: false, runtime, options: { quality: 3 } });
      expect(await tenant.quality()).to.equal(3);
      expect(await tenant.relay('through the master')).to.equal('through the master');
      await tenant.close();
      const error = await failure(spawn(TenantWorker, { logger: false, runtime, options: { quality: 'x' as never } }));
      expect(error).to.be.instanceOf(BoundaryError);
    });
  });
}

describe('spawn', function () {
  it('starts along what providers of the worker inject, also where only an application would start that later', async () => {
    await using outer = await spawn(OuterWorker, { logger: false, runtime: 'inline' });
    expect(await outer.name()).to.equal('deep');
  });

  it('tells a crash with its exit code, and the next call works', async () => {
    const small = await spawn(SmallWorker, { logger: false });
    const error = (await failure(small.exit(7))) as WorkerCrashedError;
    expect(error).to.be.instanceOf(WorkerCrashedError);
    expect(error).to.include({ worker: 'small_worker', task: 'exit', exitCode: 7, reason: 'exit', started: true });
    expect(await small.echo('again')).to.equal('again');
    await small.close();
  });

  it('gives each caller a pool of its own', async () => {
    const [one, two] = await Promise.all([spawn(SmallWorker, { logger: false }), spawn(SmallWorker, { logger: false })]);
    expect(await one.pid()).to.not.equal(await two.pid());
    await Promise.all([one.close(), two.close()]);
  });

  it('finishes what runs before it closes, and leaves no process', async () => {
    const small: WorkerClient<SmallWorker> & { close(): Promise<unknown> } = await spawn(SmallWorker, { logger: false });
    const pid = await small.pid();
    const answers = Promise.all(Array.from({ length: 50 }, (_, i) => small.echo(String(i))));
    await small.close();
    expect(await answers).to.have.length(50);
    await waitFor(() => processesOf(process.pid).every(other => other.pid !== pid));
  });

  it('says to who calls after the close that it is closed, not how to start it', async () => {
    const small: WorkerClient<SmallWorker> & { close(): Promise<unknown> } = await spawn(SmallWorker, { logger: false });
    await small.close();
    expect(await failure(small.echo('late'))).to.be.instanceOf(ClosingError);
  });

  it('lets a script that ends exit by itself, its worker in the same file', async () => {
    const script = spawnScript(new URL('../fixtures/start/script.js', import.meta.url));
    expect(await script.line()).to.equal('42');
    expect(await script.exit({ within: '5s' })).to.deep.equal({ code: 0, signal: null });
  });
});
