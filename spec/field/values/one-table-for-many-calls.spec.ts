import { expect } from 'chai';
import { WorkerBusyError } from '../../../src/errors.js';
import { Owner } from '../../../src/workers/call/owner.js';
import type { FixtureClient } from '../../workers/support/rig.js';
import { rejection, Rig } from '../../workers/support/rig.js';

const KB = 1024;

function table(rows: number): { id: number; name: string; tags: string[]; at: Date }[] {
  return Array.from({ length: rows }, (_, id) => ({ id, name: `row ${id}`, tags: ['a', 'b'], at: new Date(id) }));
}

function deepFreeze<T extends object>(value: T): T {
  for (const key of Object.keys(value)) {
    const { value: inner } = Object.getOwnPropertyDescriptor(value, key) as { readonly value?: unknown };
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}

describe('one large argument for many calls that wait', () => {
  let rig: Rig;
  const client = (caller = 'app'): FixtureClient =>
    rig.workforce.client('fixture', new Owner('connection', caller)) as unknown as FixtureClient;

  async function open(settings: ConstructorParameters<typeof Rig>[0] = {}): Promise<void> {
    rig = await Rig.started({ prefetch: 0, maxQueuePerCaller: 1000, ...settings });
    void client('first')
      .run('keeps the only process')
      .catch(() => {});
  }
  afterEach(() => rig.close());

  const arguments_: Record<string, () => unknown> = {
    'an object': () => table(10_000),
    'a Buffer': () => ({ bytes: Buffer.alloc(500 * KB, 7) }),
    'a text in an object': () => ({ text: 'y'.repeat(500 * KB) }),
    'a Map': () => new Map(table(9000).map(row => [row.id, row])),
  };
  for (const [name, make] of Object.entries(arguments_)) {
    it(`is copied once in a turn: ${name}`, async () => {
      await open({ maxQueueBytes: 600 * KB });
      const input = make();
      const calls = Array.from({ length: 51 }, () => client().run(input));
      // Half of what they would be as copies of their own is refused at once, since each copy has its bytes in the queue.
      expect(rig.workforce.status()[0]).to.include({ queued: 51 });
      const refused = rejection<WorkerBusyError>(client().run(make()));
      expect(await refused, 'an equal value that is another object').to.include({ limit: 'maxQueueBytes' });
      void Promise.allSettled(calls);
    });
  }

  it('is copied anew when it was changed between two calls, wherever that is', async () => {
    await open({ maxWorkers: 1 });
    const worker = await rig.host.worker(1);
    worker.reply(await worker.call());
    const rows = table(3000);
    const input = { rows, bytes: Buffer.alloc(100 * KB), extra: undefined as unknown };
    const changes: readonly (() => void)[] = [
      () => {},
      () => {},
      () => void (rows[2999]!.name = 'changed'),
      () => void rows[1500]!.tags.push('c'),
      () => rows[7]!.at.setTime(5),
      () => void (input.bytes[99 * KB] = 9),
      () => void (input.extra = -0),
      () => void (input.extra = 0),
      () => void rows.pop(),
      () => void delete (rows[3] as Partial<(typeof rows)[0]>).name,
      () => void (rows[4] = { ...rows[4]! }),
      () => void Object.assign(rows[5]!, { more: 1 }),
    ];
    const expected: unknown[] = [];
    for (const change of changes) {
      change();
      expected.push(structuredClone(input));
      void client()
        .run(input)
        .catch(() => {});
    }
    for (const value of expected) {
      const call = await worker.call();
      // Buffers arrive as Buffers, structuredClone makes plain arrays of them.
      const { bytes, ...rest } = call.value as typeof input;
      const { bytes: bytesThen, ...restThen } = value as typeof input;
      expect(rest).to.deep.equal(restThen);
      expect(Object.is(rest.extra, restThen.extra)).to.equal(true);
      expect(bytes.equals(bytesThen)).to.equal(true);
      worker.reply(call);
    }
  });

  it('is not looked at again where nothing can change it', async () => {
    await open();
    let reads = 0;
    const rows = deepFreeze(table(3000).map(({ id, name, tags }) => ({ id, name, tags })));
    const input = new Proxy(rows, { get: (target, key): unknown => (reads++, Reflect.get(target, key)) });
    const readsOf = (): number => {
      const before = reads;
      void client()
        .run(input)
        .catch(() => {});
      return reads - before;
    };
    expect([readsOf(), readsOf()].every(count => count >= 3000)).to.equal(true);
    expect([readsOf(), readsOf(), readsOf()]).to.deep.equal([0, 0, 0]);
    expect(rig.workforce.status()[0]).to.include({ queued: 5 });
  });

  it('is copied anew where something in it changes however frozen it is, or was before it was frozen', async () => {
    await open({ maxWorkers: 1 });
    const worker = await rig.host.worker(1);
    worker.reply(await worker.call());
    const at = new Date(1);
    const filler = 'z'.repeat(70 * KB);
    let answer = 0;
    const getter = Object.defineProperty({}, 'changing', { get: () => answer, enumerable: true });
    const thawed = { filler, list: [1] };
    const inner: number[] = [];
    const cases: readonly (readonly [object, () => void])[] = [
      [deepFreeze({ filler, at }), () => void at.setTime(at.getTime() + 1)],
      [deepFreeze({ filler, inner: getter }), () => void answer++],
      [thawed, () => void (Object.isFrozen(thawed) || deepFreeze(Object.assign(thawed, { list: [2] })))],
      [Object.freeze({ filler, inner }), () => void inner.push(1)],
    ];
    const expected: unknown[] = [];
    const call = (input: object): void => {
      expected.push(structuredClone(input));
      void client()
        .run(input)
        .catch(() => {});
    };
    for (const [input, change] of cases) {
      call(input);
      change();
      for (let i = 0; i < 2; i++) call(input);
      change();
      call(input);
    }
    for (const value of expected) {
      const given = await worker.call();
      expect(given.value).to.deep.equal(value);
      worker.reply(given);
    }
  });

  it('is bounded by maxQueueBytes: the caller that keeps most is refused, and a call that waits alone never', async () => {
    await open({ maxQueueBytes: 300 * KB });
    const small = client('modest').run('x'.repeat(10 * KB));
    const bytes = (): Buffer => Buffer.alloc(100 * KB, 1);
    const greedy = [client('greedy').run(bytes()), client('greedy').run(bytes())];
    const refused = await rejection<WorkerBusyError>(client('greedy').run(bytes()));
    expect(refused).to.be.instanceOf(WorkerBusyError).and.to.include({ limit: 'maxQueueBytes' });
    expect(refused.message).to.include('maxQueueBytes (307200 bytes)');
    const modest = client('modest').run(bytes());
    expect(await rejection(greedy[1]!)).to.include({ limit: 'maxQueueBytes' });
    expect(rig.workforce.status()[0]).to.include({ queued: 3 });
    void Promise.allSettled([small, modest, greedy[0]]);
    await rig.close();
    await open({ maxQueueBytes: 10 * KB });
    void client()
      .run(bytes())
      .catch(() => {});
    expect(rig.workforce.status()[0]).to.include({ queued: 1 });
  });

  it('is forgotten when its calls are: given up, refused, answered or lost with the pool', async () => {
    await open({ maxQueueBytes: 150 * KB });
    const abort = new AbortController();
    for (let i = 0; i < 5; i++) {
      const waiting = client().run(Buffer.alloc(100 * KB), { signal: abort.signal });
      if (i === 0) abort.abort();
      await rejection(waiting);
    }
    const last = client().run(Buffer.alloc(100 * KB));
    expect(rig.workforce.status()[0]).to.include({ queued: 1 });
    void last.catch(() => {});
    expect(await rejection(client().run(Buffer.alloc(100 * KB)))).to.include({ limit: 'maxQueueBytes' });
  });

  it('tells producers to hold back at half of maxQueueBytes', async () => {
    await open({ maxQueueBytes: 400 * KB });
    expect(rig.workforce.get(rig.worker, undefined)?.needsDrain).to.equal(false);
    for (let i = 0; i < 3; i++)
      void client()
        .run(Buffer.alloc(100 * KB, i))
        .catch(() => {});
    expect(rig.workforce.get(rig.worker, undefined)?.needsDrain).to.equal(true);
  });
});
