import { expect } from 'chai';
import { AbortError, BoundaryError, WorkerCrashedError, WorkerTimeoutError, type App, type WorkerClient } from '../../../src/index.js';
import { waitFor } from '../../kit/index.js';
import { rejection } from '../../workers/support/rig.js';
import { CallsWorker, HelperProxy, Refused } from './calls.worker.js';

/** The parts of an application that calls are made with. */
export interface CallsRig {
  readonly app: App;
  readonly calls: WorkerClient<CallsWorker>;
  /** Name of the machine that the workers run on. */
  readonly host: string;
  /** Ends everything that was started for it. */
  close(): Promise<unknown>;
}

const VALUES: readonly unknown[] = [
  undefined,
  null,
  -0,
  Number.NaN,
  12n,
  'text',
  [1, , 3],
  new Map([['key', new Set([1])]]),
  new Date(0),
  { deep: { er: [true] } },
  Buffer.from('bytes'),
  new Float64Array([1.5]),
];

async function* numbers(to: number): AsyncGenerator<number> {
  for (let i = 1; i <= to; i++) yield i;
}

/** What a call promises, wherever the worker's processes run. Each rig is opened once. */
export function callsConformance(open: () => Promise<CallsRig>): void {
  let rig: CallsRig;
  const calls = (): WorkerClient<CallsWorker> => rig.calls;

  before(async function () {
    rig = await open();
  });

  after(() => rig.close());

  it('returns what the task returned, whatever kind of value it is', async () => {
    for (const value of VALUES) expect(await calls().echo(value)).to.deep.equal(value);
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const back = (await calls().echo(cycle)) as typeof cycle;
    expect(back.self).to.equal(back);
  });

  it('copies the argument when the call is made', async () => {
    const value = { a: 1 };
    const answer = calls().echo(value);
    value.a = 2;
    expect(await answer).to.deep.equal({ a: 1 });
  });

  it('carries values that are larger than one message of a mesh, both ways', async () => {
    const large = Buffer.alloc(5 * 1024 * 1024, 'x');
    const back = (await calls().echo(large)) as Buffer;
    expect(Buffer.compare(back, large)).to.equal(0);
  });

  it('rebuilds the error of the task: class, properties, and both stacks', async () => {
    const error = await (async function whoAsked() {
      return rejection(
        (async function inner() {
          await calls().refuse('because');
        })(),
      );
    })();
    expect(error).to.be.instanceOf(Refused);
    expect((error as Error & Partial<Refused>).reason).to.equal('because');
    expect(error.stack).to.include('CallsWorker.refuse').and.to.include('inner');
  });

  it('refuses input and output that do not fit their schemas', async () => {
    const input = await rejection(calls().slow('x' as unknown as number));
    expect(input).to.be.instanceOf(BoundaryError).with.property('direction', 'input');
    const output = await rejection(calls().wrong(1));
    expect(output).to.be.instanceOf(BoundaryError).with.property('direction', 'output');
  });

  it('streams as far as the caller reads', async () => {
    const got: number[] = [];
    for await (const item of calls().count(500)) got.push(item);
    expect(got).to.deep.equal(Array.from({ length: 500 }, (_, i) => i));
  });

  it('ends the generator when the caller leaves the loop', async () => {
    for await (const item of calls().endless()) if (item === 20) break;
    await waitFor(() => rig.app.workers.status().some(({ status }) => status === 'left'), { what: 'the generator to return' });
  });

  it('throws the error of a stream after its items', async () => {
    const got: number[] = [];
    const error = await rejection(
      (async () => {
        for await (const item of calls().breaks(3)) got.push(item);
      })(),
    );
    expect(got).to.deep.equal([0, 1, 2]);
    expect(error).to.be.instanceOf(Refused);
  });

  it('streams the caller’s items in', async () => {
    expect(await calls().sum(undefined, { send: numbers(300) })).to.equal(45_150);
  });

  it('tells the events of a call in order, before it settles', async () => {
    const heard: number[] = [];
    const answer = await calls().tick(200, { on: { progress: value => void heard.push(value) } });
    expect(answer).to.equal('done');
    expect(heard).to.deep.equal(Array.from({ length: 200 }, (_, i) => i));
  });

  it('answers ask', async () => {
    expect(await calls().ask({ a: 1 })).to.deep.equal({ heard: { a: 1 } });
  });

  it('aborts the caller at once, and the task’s signal with it', async () => {
    const controller = new AbortController();
    const answer = rejection(calls().untilAborted(undefined, { signal: controller.signal }));
    await calls().echo('it has begun');
    controller.abort(new Error('enough'));
    const error = await answer;
    expect(error).to.be.instanceOf(AbortError);
    expect((error.cause as Error).message).to.equal('enough');
    await waitFor(() => rig.app.workers.status().some(({ status }) => status === 'aborted'), { what: 'the task to hear of it' });
  });

  it('kills a task that overruns its timeout, and goes on', async () => {
    const error = await rejection(calls().spin(undefined, { timeout: 300 }));
    expect(error).to.be.instanceOf(WorkerTimeoutError).with.property('timeout', 300);
    expect(await calls().echo('next')).to.equal('next');
  });

  it('goes on after a kill, whatever the task was given', async () => {
    expect(await rejection(calls().hang({ a: [1] }, { timeout: 300 }))).to.be.instanceOf(WorkerTimeoutError);
    await Promise.all(Array.from({ length: 10 }, (_, i) => calls().echo(i)));
  });

  it('tells of a process that died under the call', async () => {
    const error = await rejection(calls().crash());
    expect(error).to.be.instanceOf(WorkerCrashedError);
    expect(error).to.include({ reason: 'signal', signal: 'SIGKILL', started: true, host: rig.host });
    expect(await calls().echo('next')).to.equal('next');
  });

  it('tries an idempotent task again', async () => {
    expect(await calls().crashOnce()).to.equal(2);
  });

  it('keeps calls of one affinity on one process, one after the other', async () => {
    const pids = await Promise.all(Array.from({ length: 20 }, () => calls().pid(undefined, { affinity: 'same' })));
    expect(new Set(pids).size).to.equal(1);
  });

  it('tells the task who asks, and how long it has', async () => {
    const { caller, attempt, left } = await calls().about(undefined, { timeout: '2s' });
    expect(caller).to.deep.equal({});
    expect(attempt).to.equal(1);
    expect(left).to.be.within(1, 2_100);
  });

  it('lets tasks call other workers, past the proxies of the application', async () => {
    const before = HelperProxy.asked;
    expect(await calls().nested(21)).to.equal(42);
    expect(await calls().nested(1000)).to.equal(1);
    expect(HelperProxy.asked - before).to.equal(2);
    expect(await calls().nestedStream(40)).to.have.length(40);
  });

  it('aborts what a task asked of others when its own caller gives up', async () => {
    const controller = new AbortController();
    const answer = rejection(calls().nestedWait(undefined, { signal: controller.signal }));
    await calls().echo('it has begun');
    controller.abort();
    expect(await answer).to.be.instanceOf(AbortError);
    expect(await calls().nested(1)).to.equal(2);
  });

  it('passes on what workers send unasked', async () => {
    const heard: unknown[] = [];
    const listening = rig.app.workers.on('message', data => heard.push(data));
    await calls().send('hello');
    await waitFor(() => heard.length > 0, { what: 'the message' });
    listening[Symbol.dispose]();
    expect(heard).to.deep.equal(['hello']);
  });

  it('tells of a process that has died, and where it ran', async () => {
    const ended: { host: string; pid: number; signal: string | null; reason: string }[] = [];
    using _ = rig.app.workers.on('exit', ({ host, pid }, { signal, reason }) => void ended.push({ host, pid, signal, reason }));
    const pids = new Set(await Promise.all(Array.from({ length: 8 }, () => calls().pid())));
    await rejection(calls().crash());
    await waitFor(() => ended.some(({ signal }) => signal === 'SIGKILL'), { what: 'the end of the process to be told' });
    const end = ended.find(({ signal }) => signal === 'SIGKILL')!;
    expect(end).to.include({ host: rig.host, reason: 'signal' });
    if (rig.host === 'local') expect(pids).to.include(end.pid);
  });

  it('starts a worker under a key, and finds it there', async () => {
    const handle = await rig.app.workers.start(CallsWorker, { key: 'gold' });
    expect(handle.key).to.equal('gold');
    const [plain, keyed] = await Promise.all([calls().pid(), calls().pid(undefined, { key: 'gold' })]);
    expect(keyed).to.not.equal(plain);
    await rig.app.workers.stop(handle);
    expect(handle.state).to.equal('stopped');
  });

  it('replaces all processes without losing a call', async () => {
    const before = await calls().pid();
    let isOn = true;
    const pids = new Set<number>();
    const calling = (async () => {
      while (isOn) pids.add(await calls().pid());
    })();
    await rig.app.workers.restart(CallsWorker);
    await waitFor(() => [...pids].at(-1) !== before, { within: '10s', what: 'an answer of another process' });
    isOn = false;
    await calling;
    expect(await calls().pid()).to.not.equal(before);
  });

  it('shows every process in status()', async () => {
    await waitFor(() => rig.app.workers.status().some(({ name, pid, rss }) => name === 'mesh_calls' && pid && rss), {
      what: 'its figures',
    });
    const rows = rig.app.workers.status().filter(({ name }) => name === 'mesh_calls');
    for (const { id, host } of rows) {
      expect(id).to.be.a('string');
      expect(host).to.equal(rig.host);
    }
    expect(new Set(rows.map(({ id }) => id)).size).to.equal(rows.length);
  });

  it('serves a thousand calls at once', async () => {
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => calls().echo(i)));
    expect(answers).to.deep.equal(Array.from({ length: 1000 }, (_, i) => i));
  });
}
