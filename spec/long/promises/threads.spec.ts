import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { InjectWorker, Logger, Module, spawn, Worker, WorkerCrashedError, WorkerTimeoutError, WorkerUnavailableError } from 'packet-ts';
import type { ExitReason, WorkerClient } from 'packet-ts';
import { createTestApp } from 'packet-ts/testing';
import { ThreadConnection, ThreadEdge, ThreadSleeper, ThreadWorker } from '../../fixtures/start/thread.worker.js';
import { atEnd, tcpClient, waitFor } from '../../kit/index.js';
import { failure, Scene } from '../../promises/pool/scene.js';

describe('a worker in a thread', function () {
  it('shares the pid of the master, and is told from others by its id', async () => {
    const scene = await Scene.open({ where: 'thread', minWorkers: 2, maxWorkers: 2 });
    expect(scene.pids).to.deep.equal([process.pid, process.pid]);
    const ids = scene.workers.status().map(({ id }) => id);
    expect(new Set(ids).size).to.equal(2);
    expect(scene.app.describe()).to.include(`pid ${process.pid} ready`);
  });

  it('is killed in an endless loop by its timeout, while others go on', async () => {
    const scene = await Scene.open({ where: 'thread', minWorkers: 2, maxWorkers: 2, timeout: '200ms' });
    const { call } = await scene.begun('loop');
    const looping = failure(call);
    expect(await scene.client.echo('meanwhile')).to.equal('meanwhile');
    expect(await looping).to.be.instanceOf(WorkerTimeoutError);
    await waitFor(() => scene.exits.length === 1);
    expect(scene.exits[0]!.why).to.include({ reason: 'timeout', signal: 'SIGKILL' });
    expect(await scene.client.echo('next')).to.equal('next');
  });

  it('is killed while it waits in Atomics.wait, and what it had begun is known', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-thread-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'begun');
    await using client = await spawn(ThreadWorker, { workers: [ThreadSleeper], timeout: '30s', logger: false, prefetch: 4 });
    const waiting = failure(client.wait(file, { timeout: '300ms' }));
    const behind = client.own();
    await waitFor(() => existsSync(file));
    expect(await waiting).to.be.instanceOf(WorkerTimeoutError);
    expect((await behind).main).to.equal(false);
    expect(readFileSync(file, 'utf8')).to.equal('begun\n');
  });

  for (const code of [0, 7])
    it(`ends alone at process.exit(${code}), during and after the reply`, async () => {
      const scene = await Scene.open({ where: 'thread' });
      const during = await failure<WorkerCrashedError>(scene.client.exit(code));
      expect(during).to.be.instanceOf(WorkerCrashedError);
      expect(during).to.include({ pid: process.pid, exitCode: code, signal: null, reason: 'exit', started: true });
      expect(await scene.client.exitAfter(code)).to.equal('answered');
      await waitFor(() => scene.exits.length === 2);
      expect(await scene.client.echo('next')).to.equal('next');
    });

  for (const [task, message] of [
    ['throwAside', 'thrown aside'],
    ['rejectAside', 'rejected aside'],
  ] as const)
    it(`ends alone for what nothing in it catches: ${task}`, async () => {
      const scene = await Scene.open({ where: 'thread' });
      const during = await failure<WorkerCrashedError>(scene.client[task](true));
      expect(during).to.be.instanceOf(WorkerCrashedError);
      expect(during).to.include({ exitCode: 1, reason: 'exit', started: true });
      expect(during.stderr).to.include(message);
      expect(await scene.client.echo('next')).to.equal('next');
    });

  it('dies of its own heap limit', async () => {
    const scene = await Scene.open({ where: 'thread', resourceLimits: { maxOldGenerationSizeMb: 24 } });
    const error = await failure<WorkerCrashedError>(scene.client.fillHeap());
    expect(error).to.be.instanceOf(WorkerCrashedError).with.property('reason', 'memory');
    expect(await scene.client.echo('next')).to.equal('next');
  });

  it('is killed by the heartbeat when its event loop does not turn', async () => {
    class SleeperHolder {
      constructor(readonly sleeper: WorkerClient<ThreadSleeper>) {}
    }
    InjectWorker(ThreadSleeper)(SleeperHolder, undefined, 0);
    class SleeperModule {}
    Module({ workers: [ThreadSleeper], providers: [SleeperHolder] })(SleeperModule);
    const app = await createTestApp(SleeperModule).start({ runtime: 'thread' });
    atEnd(() => app.close());
    const exits: ExitReason[] = [];
    app.workers.on('exit', (_process, why) => void exits.push(why));
    await app.get(SleeperHolder).sleeper.sink();
    await waitFor(() => exits.length > 0, { within: '10s' });
    expect(exits[0]).to.include({ reason: 'heartbeat', signal: 'SIGKILL' });
  });

  it('has its own argv and environment, and its nested calls', async () => {
    await using client = await spawn(ThreadWorker, { workers: [ThreadSleeper], logger: false });
    expect(await client.own())
      .to.include({ secret: 'kept', main: false, title: process.title })
      .and.to.deep.include({ argv: ['--mine'] });
    expect(await client.nested()).to.be.greaterThan(0);
    expect(process.env['SECRET']).to.equal(undefined);
  });

  it('loses nothing that it prints before its end, and waits while the master has not read it', async () => {
    const heard: string[] = [];
    class Lines extends Logger {
      override trace(): void {}
      override debug(): void {}
      override info(facts: { line?: string }): void {
        if (facts.line !== undefined) heard.push(facts.line);
      }
      override warn(facts: { line?: string }): void {
        this.info(facts);
      }
      override error(): void {}
      override fatal(): void {}
      override child(): Logger {
        return this;
      }
    }
    const client = await spawn(ThreadWorker, { workers: [ThreadSleeper], logger: new Lines() });
    const error = await failure<WorkerCrashedError>(client.print(2_000));
    expect(error.stderr).to.include('the last of all');
    await waitFor(() => heard.includes('line 2000'));
    expect(heard.filter(line => line.startsWith('line '))).to.deep.equal(Array.from({ length: 2_000 }, (_, i) => `line ${i + 1}`));
    await client.close();
  });

  it('has answered whole what it answered before it ended, however large', async () => {
    await using client = await spawn(ThreadWorker, { workers: [ThreadSleeper], logger: false });
    for (const size of [10, 3_000_000]) expect(await client.last(size)).to.have.length(size);
  });

  it('listens by itself where it has connections', async () => {
    class EdgeHolder {
      constructor(readonly edge: WorkerClient<ThreadEdge>) {}
    }
    InjectWorker(ThreadEdge)(EdgeHolder, undefined, 0);
    class EdgeModule {}
    Module({ workers: [ThreadEdge], providers: [EdgeHolder] })(EdgeModule);
    const app = await createTestApp(EdgeModule).start({ runtime: 'thread' });
    atEnd(() => app.close());
    const client = await tcpClient(app.address(ThreadConnection).port);
    await client.send('hello\n');
    expect(await client.line()).to.equal(`${await app.get(EdgeHolder).edge.thread()} hello`);
    await client.destroy();
  });

  it('cannot have flags of the whole process', async () => {
    const error = await failure(spawn(ThreadSleeper, { execArgv: ['--max-old-space-size=64'], logger: false }));
    expect(error).to.be.instanceOf(WorkerUnavailableError);
    expect((error.cause as Error).message).to.match(/a thread has no flags of V8 .*--max-old-space-size=64; write resourceLimits/);
  });
});

describe('every mistake of a worker in a thread', () => {
  it('is told at bootstrap: several threads cannot listen at one address', async () => {
    class Wide {}
    Worker('thread_wide', { runtime: 'thread', maxWorkers: 2, connections: [ThreadConnection], source: import.meta.url })(Wide);
    class WideModule {}
    Module({ workers: [Wide] })(WideModule);
    const error = await failure(createTestApp(WideModule).start({ runtime: 'thread' }));
    expect(error.message).to.include("no socket can be passed to runtime 'thread'");
  });
});
