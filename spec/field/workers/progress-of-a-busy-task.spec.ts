import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { AbortError, InjectWorker, Module, Workers, type WorkerClient } from 'packet-ts';
import { createTestApp, type TestApp } from 'packet-ts/testing';
import { waitFor } from '../../kit/index.js';
import { rejection } from '../../workers/support/rig.js';
import { Busy, Scribe } from '../support/busy.worker.js';

class Caller {
  constructor(
    @InjectWorker(Busy) readonly busy: WorkerClient<Busy>,
    readonly workers: Workers,
  ) {}
}

@Module({ workers: [Busy, Scribe], providers: [Caller] })
class AppModule {}

describe('while a task awaits nothing and holds its event loop', function () {
  let app: TestApp;
  let caller: Caller;
  let folder: string;
  let files = 0;
  const newFile = (): string => join(folder, String(++files));

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'busy-'));
    app = await createTestApp(AppModule).start({ runtime: 'process' });
    caller = app.get(Caller);
  });
  after(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('each of its events arrives before it emits the next one, also beyond what its caller had room for at first', async () => {
    const file = newFile();
    // The dot says that the number is complete.
    const progress = (step: number): void => writeFileSync(file, `${step}.`);
    expect(await caller.busy.render({ count: 100, file }, { on: { progress } })).to.equal(true);
  });

  it('an item that it yielded arrives', async () => {
    const file = newFile();
    const items: unknown[] = [];
    for await (const item of caller.busy.parts(file)) {
      items.push(item);
      writeFileSync(file, '');
    }
    expect(items).to.deep.equal(['first', true]);
  });

  it('its latest status is shown', async () => {
    const file = newFile();
    const reported = caller.busy.report(file);
    await waitFor(() => caller.workers.status().some(({ status }) => status === 'computing'), { within: '4s' });
    writeFileSync(file, '');
    expect(await reported).to.equal(true);
  });

  it('what it tells its master unasked arrives', async () => {
    const file = newFile();
    caller.workers.on('message', data => writeFileSync(file, String(data)));
    expect(await caller.busy.say(file)).to.equal(true);
  });

  it('a call that it makes to another worker runs', async () => {
    expect(await caller.busy.delegate(newFile())).to.equal(true);
  });

  it('its signal says that the caller has given up', async () => {
    const abort = new AbortController();
    const pids = caller.workers.status().map(({ pid }) => pid);
    const call = caller.busy.endless(undefined, { signal: abort.signal, on: { progress: () => abort.abort() } });
    expect(await rejection(call)).to.be.instanceOf(AbortError);
    // It ended by itself: the next call finds the same process.
    await caller.busy.burst(1);
    expect(caller.workers.status().map(({ pid }) => pid)).to.deep.equal(pids);
  });
});

for (const runtime of ['process', 'inline'] as const) {
  describe(`a task that awaits none of its events, runtime '${runtime}'`, () => {
    it('answers when all of them have arrived', async () => {
      const app = await createTestApp(AppModule).start({ runtime });
      const heard: number[] = [];
      const done = await app.get(Caller).busy.burst(1_000, { on: { progress: step => heard.push(step) } });
      expect(done).to.equal('done');
      expect(heard).to.deep.equal(Array.from({ length: 1_000 }, (_, i) => i + 1));
      await app.close();
    });

    it('answers when a listener that takes its time has dealt with them', async () => {
      const app = await createTestApp(AppModule).start({ runtime });
      let under = 0;
      let most = 0;
      let heard = 0;
      const progress = async (): Promise<void> => {
        most = Math.max(most, ++under);
        heard++;
        await new Promise(setImmediate);
        under--;
      };
      await app.get(Caller).busy.burst(300, { on: { progress } });
      expect(heard).to.equal(300);
      expect(most).to.be.at.most(64);
      await app.close();
    });
  });
}
