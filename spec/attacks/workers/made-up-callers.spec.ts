import { expect } from 'chai';
import type { WorkerCrashedError } from '../../../src/errors.js';
import { Kind, UPWARD } from '../../../src/wire/link/protocol.js';
import { Owner } from '../../../src/workers/call/owner.js';
import { blueprint } from '../../workers/support/blueprint.js';
import type { FakeWorker } from '../../workers/support/fake-host.js';
import { rejection, Rig, type FixtureClient } from '../../workers/support/rig.js';

describe('a worker that names callers for the calls it makes', () => {
  let rig: Rig;
  let asker: FakeWorker;
  let other: FakeWorker;
  let honest: FixtureClient;
  let last = UPWARD;

  beforeEach(async () => {
    const second = blueprint({ prefetch: 0 }, { name: 'other', cls: class Other {} });
    rig = new Rig({ concurrency: 4 }, {}, {}, undefined, [second]);
    await rig.workforce.start(rig.worker, undefined, undefined);
    await rig.workforce.start(second, undefined, undefined);
    [asker, other] = [await rig.host.worker(1), await rig.host.worker(2)];
    honest = rig.workforce.client('other', new Owner('connection', 'honest')) as unknown as FixtureClient;
  });
  afterEach(() => rig.close());

  function up(input: unknown, more: object = {}): void {
    asker.link.sendValue(Kind.NESTED_CALL, ++last, 0, { worker: 'other', task: 'run', input, ...more });
  }

  /** What the other worker is given, one call after the other, until `until` comes. */
  async function order(until: unknown): Promise<unknown[]> {
    const inputs: unknown[] = [];
    while (inputs.at(-1) !== until) {
      const call = await other.call();
      inputs.push(call.value);
      other.reply(call);
    }
    return inputs;
  }

  it('makes no honest caller wait for more than one of them, however many it makes up', async () => {
    for (let i = 0; i < 200; i++) up(i, { caller: `made up ${i}` });
    await rig.settle();
    const answer = honest.run('honest');
    expect(await order('honest')).to.have.length.below(4);
    await answer;
  });

  it('makes the caller that it works for wait for no more than one of them either', async () => {
    const own = rig.workforce.client('fixture', new Owner('connection', 'honest')) as unknown as FixtureClient;
    void own.run('parent').catch(() => {});
    const parent = await asker.call();
    for (let i = 0; i < 200; i++) up(i, { caller: `made up ${i}`, parent: parent.id });
    await rig.settle();
    const answer = honest.run('honest');
    expect(await order('honest')).to.have.length.below(4);
    await answer;
  });

  it('makes them wait for no more than one of the calls that it makes for all connections of one address', async () => {
    const from = (id: string, address: string): FixtureClient =>
      rig.workforce.client('fixture', new Owner('connection', id, { connection: { id, remote: { url: 'tcp:', address } } })) as never;
    const parents = [];
    for (const id of ['c1', 'c2', 'c3', 'c4']) {
      void from(id, '203.0.113.7')
        .run(id)
        .catch(() => {});
      parents.push(await asker.call());
    }
    for (const { id } of parents) for (let i = 0; i < 5; i++) up(id, { parent: id });
    await rig.settle();
    const answer = honest.run('honest');
    expect(await order('honest')).to.have.length.below(4);
    await answer;
  });

  it('has them take turns among each other', async () => {
    for (let i = 0; i < 50; i++) up(`greedy ${i}`, { caller: 'greedy' });
    for (let i = 0; i < 3; i++) up(`plain ${i}`);
    up('modest', { caller: 'modest' });
    await rig.settle();
    expect(await order('modest')).to.deep.equal(['greedy 0', 'greedy 1', 'plain 0', 'modest']);
  });

  it('is ended for a name of more than 1024 characters: names are keys of tables, and V8 does not hash long ones', async () => {
    const rejected = rejection<WorkerCrashedError>(rig.client().run(1));
    asker.begun = (await asker.call()).id;
    up(1, { caller: 'x'.repeat(1025) });
    expect(await rejected).to.include({ reason: 'protocol' });
  });
});
