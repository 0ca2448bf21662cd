import { expect } from 'chai';
import { z } from 'zod';
import type { WorkerClient } from '../../../src/decorators/worker/client-types.js';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnData, OnError } from '../../../src/decorators/connection/connection-hooks.js';
import type { About, WorkerOrigin } from '../../../src/decorators/hook-types.js';
import { InjectWorker } from '../../../src/decorators/injection/inject.js';
import { Task } from '../../../src/decorators/worker/task.js';
import type { TaskContext } from '../../../src/decorators/worker/task-types.js';
import { OnWorkerData, OnWorkerEvent } from '../../../src/decorators/worker/worker-hooks.js';
import { Worker } from '../../../src/decorators/worker/worker.js';
import { lines } from '../../../src/framing/lines.js';
import type { Owner } from '../../../src/workers/call/owner.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { Events } from '../../kit/events.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { deferred, Journal, turns } from '../../kit/signals.js';
import { WireClient } from '../../kit/clients/wire-client.js';

@Worker('answers_spec_search')
class Search {
  @Task({ events: { progress: z.number() } }) async find(_: undefined, context: TaskContext<{ progress: number }>) {
    await context.emit('progress', 1);
  }
}
@Worker('answers_spec_other')
class Other {}

describe('what workers answer to a connection', () => {
  let kit: Rig;
  let journal: Journal;
  beforeEach(() => {
    kit = rig(new FakeClock());
    journal = new Journal();
  });
  afterEach(() => kit.close());
  const dial = async (cls: Parameters<Rig['listen']>[0]): Promise<{ client: WireClient; owner: Owner }> => {
    const client = await WireClient.connect((await kit.listen(cls)).address.url);
    await turns();
    return { client, owner: kit.owners.get(kit.made.at(-1)!)! };
  };
  const origin: WorkerOrigin = { worker: 'search', key: undefined, task: 'find', tag: 'mine' };

  const handler = (): Parameters<Rig['listen']>[0] => {
    @Connection({ framing: lines() })
    class Asks {
      constructor(@InjectWorker(Search) readonly search: WorkerClient<Search>) {}
      @OnData() data() {
        return new Promise(() => {});
      }
      @OnWorkerData(Search, z.string()) text(text: string) {
        return `text ${text}`;
      }
      @OnWorkerData(Search, z.number()) number(n: number) {
        return `number ${n}`;
      }
      @OnWorkerData(Other) async other(data: unknown) {
        return `other ${String(data)}`;
      }
      @OnWorkerEvent(Search, 'progress') progress(percent: number, { tag }: WorkerOrigin) {
        return `progress ${percent} ${String(tag)}`;
      }
      @OnError() error(error: Error, about: About) {
        return `${error.name} during ${about.during} ${about.hook ?? ''}`;
      }
    }
    return Asks;
  };

  it('makes an owner for a class that injects a client, named after the connection', async () => {
    const { owner } = await dial(handler());
    expect(owner.kind).to.equal('connection');
    expect(owner.caller.connection!.id).to.equal(owner.id);
    expect(owner.caller.connection!.remote.url).to.match(/^memory:/);
  });

  it('answers, events and failures go to their methods, do not wait for the line, and what those return is sent', async () => {
    const { client, owner } = await dial(handler());
    client.send('blocks the line\n');
    await turns();
    owner.hooks.onAnswer!(Search, 'hit');
    owner.hooks.onAnswer!(Search, 3);
    owner.hooks.onEvent!(Search, 'progress', 50, origin);
    owner.hooks.onEvent!(Search, 'unknown', 50, origin);
    owner.hooks.onEvent!(Other, 'progress', 50, origin);
    await client.reads('text hit\nnumber 3\nprogress 50 mine\n');
    owner.hooks.onAnswer!(Other, 'x');
    await client.reads('other x\n');
    owner.hooks.onAnswer!(Search, { neither: true });
    await client.reads('BoundaryError during schema OnWorkerData\n');
    owner.hooks.onFailure!(new TypeError('search failed'), Search);
    await client.reads('TypeError during worker \n');
  });

  it('without methods for them they are dropped and logged, and the connection lives', async () => {
    using dropped = new Events('call.dropped');
    @Connection({ framing: lines() })
    class Deaf {
      constructor(@InjectWorker(Search) readonly search: WorkerClient<Search>) {}
      @OnData() data(line: string) {
        return line;
      }
    }
    const { client, owner } = await dial(Deaf);
    owner.hooks.onAnswer!(Search, 'hit');
    owner.hooks.onFailure!(new Error('failed'), Search);
    client.send('alive\n');
    await client.reads('alive\n');
    expect(dropped.seen.map(({ what, worker }) => [what, worker])).to.deep.equal([
      ['answer', 'Search'],
      ['failure', 'Search'],
    ]);
  });

  it('calls are aborted when the peer is gone', async () => {
    const { client, owner } = await dial(handler());
    client.send('in flight\n');
    await turns();
    const aborted = deferred<unknown>();
    owner.add({ abort: aborted.resolve, elder: undefined, younger: undefined });
    client.destroy();
    expect(await aborted.promise).to.have.property('name', 'ConnectionClosedError');
  });

  it('the owner is exempt during @OnClose, and closed after it', async () => {
    @Connection({ framing: lines() })
    class Closes {
      constructor(@InjectWorker(Search) readonly search: WorkerClient<Search>) {}
      @OnData() data() {}
      @OnClose() async closed() {
        const owner = kit.owners.get(this)!;
        await turns();
        journal.note(`exempt ${owner.isAllowedWhileClosing} closed ${owner.isClosed}`);
      }
    }
    const { client, owner } = await dial(Closes);
    expect(owner.isAllowedWhileClosing).to.equal(false);
    client.destroy();
    await journal.has('exempt true closed false');
    await kit.core.whenEmpty();
    expect(owner.isClosed).to.equal(true);
  });
});
