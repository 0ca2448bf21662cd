import diagnostics from 'node:diagnostics_channel';
import { expect } from 'chai';
import { bootstrap, NotCloneableError, serveWorkers, type App, type Events } from '../../src/index.js';
import { memoryMesh, type MemoryMesh } from '../../src/testing/index.js';
import { atEnd, waitFor } from '../kit/index.js';
import { Chat, ChatModule, type Line } from './support/chat.worker.js';

const quiet = { logger: false, signals: false } as const;
const times = (where: string, from: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${where} ${from} ${n}`);

async function chatting(options: { mesh?: MemoryMesh; placement?: { mesh_chat: 'remote' } } = {}): Promise<{ app: App; chat: Chat }> {
  const app = await bootstrap(ChatModule, { ...options, ...quiet });
  atEnd(() => app.close({ timeout: 1000 }));
  return { app, chat: app.get(Chat) };
}

/** How much was told lost for that reason, each time. */
function losses(reason: string): number[] {
  const told: number[] = [];
  const hear = (event: unknown): void => {
    const { lost, why } = event as Events['channel.lost'];
    if (why === reason) told.push(lost);
  };
  diagnostics.subscribe('packet-ts:channel.lost', hear);
  atEnd(() => diagnostics.unsubscribe('packet-ts:channel.lost', hear));
  return told;
}

/** Everything that every process of the worker has heard, by pid. */
async function everyone(chat: Chat): Promise<Map<number, string[]>> {
  const all = await Promise.all(Array.from({ length: 12 }, () => chat.workers.listing()));
  return new Map(all.map(({ pid, heard }) => [pid, heard]));
}

describe('a channel beyond its process', function () {
  this.timeout(120_000);

  it("reaches the master and all of its workers' processes, in order, and nobody twice", async () => {
    const { chat } = await chatting();
    await waitFor(async () => (await everyone(chat)).size === 2, { what: 'both processes' });
    chat.room.publish({ from: 'master', n: 0 });
    const speaker = await chat.workers.say({ where: 'room', from: 'worker', times: 50 });
    await waitFor(() => chat.heard.length === 51, { what: 'the master to hear all' });
    expect(chat.heard).to.deep.equal(['room master 0', ...times('room', 'worker', 50)]);
    await waitFor(async () => [...(await everyone(chat)).values()].every(heard => heard.length === 51), { what: 'all to hear' });
    const heard = await everyone(chat);
    expect(heard.has(speaker)).to.equal(true);
    for (const lines of heard.values()) expect(lines).to.deep.equal(['room master 0', ...times('room', 'worker', 50)]);
  });

  it('stays in its process unless something else is said', async () => {
    const { chat } = await chatting();
    await waitFor(async () => (await everyone(chat)).size === 2, { what: 'both processes' });
    const speaker = await chat.workers.say({ where: 'here', from: 'worker', times: 1 });
    const heard = await everyone(chat);
    for (const [pid, lines] of heard) expect(lines).to.deep.equal(pid === speaker ? ['here worker 0'] : []);
  });

  it('reaches all machines of a mesh, and those of an application only its own', async () => {
    const mesh = memoryMesh();
    const host = await serveWorkers(ChatModule, { mesh, workers: ['mesh_chat'], name: 'host', ...quiet });
    atEnd(() => host.close());
    const one = await chatting({ mesh, placement: { mesh_chat: 'remote' } });
    const two = await chatting({ mesh, placement: { mesh_chat: 'remote' } });
    one.chat.world.publish({ from: 'one', n: 0 });
    one.chat.room.publish({ from: 'one', n: 0 });
    await waitFor(() => two.chat.heard.length === 1, { what: 'the other application to hear' });
    expect(two.chat.heard).to.deep.equal(['world one 0']);
    expect([...one.chat.heard].sort()).to.deep.equal(['room one 0', 'world one 0']);
    await two.chat.workers.say({ where: 'world', from: 'worker', times: 20 });
    await waitFor(() => one.chat.heard.length === 22 && two.chat.heard.length === 21, { what: 'both to hear the worker' });
    expect(one.chat.heard.slice(2)).to.deep.equal(times('world', 'worker', 20));
    expect(two.chat.heard.slice(1)).to.deep.equal(times('world', 'worker', 20));
  });

  it('tells a worker that an item is too large, and what the mesh cannot take is lost there alone', async () => {
    const { chat } = await chatting({ mesh: memoryMesh() });
    const lost: unknown[] = [];
    const exits: unknown[] = [];
    for (const [name, events] of [
      ['packet-ts:channel.lost', lost],
      ['packet-ts:worker.exit', exits],
    ] as const) {
      const listen = (event: unknown): void => void events.push(event);
      diagnostics.subscribe(name, listen);
      atEnd(() => diagnostics.unsubscribe(name, listen));
    }
    expect(await chat.workers.shout({ where: 'room', length: 17 * 1024 * 1024 })).to.match(
      /^MessageTooLargeError: item is larger than maxMessageSize/,
    );
    expect(await chat.workers.shout({ where: 'world', length: 2 * 1024 * 1024 })).to.equal('');
    await waitFor(() => chat.heard.length === 1 && lost.length === 1, { what: 'the master to hear it, and the mesh to lose it' });
    expect(lost[0]).to.deep.include({ channel: 'mesh-spec-world', lost: 1 });
    expect((lost[0] as { why: string }).why).to.include('what a message of the mesh holds');
    expect(exits).to.deep.equal([]);
  });

  it('tells subscribers how much the mesh has lost while it was cut', async () => {
    const mesh = memoryMesh();
    const [one, two] = [await chatting({ mesh }), await chatting({ mesh })];
    const lost = losses('the mesh did not deliver');
    one.chat.world.publish({ from: 'before', n: 0 });
    await waitFor(() => two.chat.heard.length === 1, { what: 'the first item' });
    mesh.cut();
    for (let n = 0; n < 5; n++) one.chat.world.publish({ from: 'meanwhile', n });
    mesh.restore();
    one.chat.world.publish({ from: 'after', n: 0 });
    await waitFor(() => two.chat.heard.length === 2, { what: 'the next item' });
    expect(two.chat.heard).to.deep.equal(['world before 0', 'world after 0']);
    expect(lost).to.deep.equal([5]);
  });

  it('publishes no more than the mesh takes, and tells how much was too much', async () => {
    const mesh = memoryMesh();
    const [one, two] = [await chatting({ mesh }), await chatting({ mesh })];
    const lost = losses('the mesh did not deliver');
    const weight = new Uint8Array(100_000);
    for (let n = 0; n < 200; n++) one.chat.world.publish({ from: 'one', n, weight });
    await waitFor(() => two.chat.heard.length > 50, { what: 'the first ones' });
    one.chat.world.publish({ from: 'one', n: 200 });
    await waitFor(() => two.chat.heard.at(-1) === 'world one 200', { what: 'the last one' });
    expect(two.chat.heard.length + lost[0]!).to.equal(201);
    expect(lost[0]).to.be.within(100, 130);
  });

  it('holds up nobody where one process does not read, and tells how much that has missed', async () => {
    const mesh = memoryMesh();
    const host = await serveWorkers(ChatModule, { mesh, workers: ['mesh_chat'], name: 'host', ...quiet });
    atEnd(() => host.close());
    const [one, two] = [await chatting({ mesh, placement: { mesh_chat: 'remote' } }), await chatting({ mesh })];
    const lost = losses("a worker's process did not read");
    const spinning = one.chat.workers.spin(3_000);
    const weight = new Uint8Array(100_000);
    for (let n = 0; n < 100; n++) {
      one.chat.world.publish({ from: 'one', n, weight });
      await waitFor(() => two.chat.heard.length === n + 1, { what: `item ${n}` });
    }
    await spinning;
    one.chat.world.publish({ from: 'one', n: 100 });
    await waitFor(() => lost.length > 0, { what: 'the loss to be told' });
    const heard = (lines: string[]): number => lines.filter(line => line.startsWith('world')).length;
    await waitFor(async () => [...(await everyone(one.chat)).values()].some(lines => heard(lines) === 101 - lost[0]!), {
      what: 'the process to have heard the rest',
    });
  });

  it('refuses what cannot be copied, before anyone has it', async () => {
    const { chat } = await chatting();
    expect(() => chat.room.publish({ from: 'x', n: (() => 1) as unknown as number } satisfies Line)).to.throw(NotCloneableError);
    expect(chat.heard).to.deep.equal([]);
  });
});
