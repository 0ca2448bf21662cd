import { expect } from 'chai';
import { bootstrap, serveWorkers, type ServedWorkers } from '../../src/index.js';
import { memoryMesh, type MemoryMesh } from '../../src/testing/index.js';
import { realClock } from '../../src/clock.js';
import { encodeFrame, FrameKind } from '../../src/mesh/link/frames.js';
import { MeshNode } from '../../src/mesh/link/mesh-node.js';
import { decodePresence, type Presence } from '../../src/mesh/presence.js';
import { openLink } from '../../src/wire/link/link.js';
import { Kind, PROTOCOL_VERSION } from '../../src/wire/link/protocol.js';
import type { Link } from '../../src/wire/link/types.js';
import { atEnd, waitFor } from '../kit/index.js';
import { Caller, CallsModule } from './support/module.js';

const quiet = { logger: false, signals: false } as const;
const EMPTY = new Uint8Array();

/** A caller that speaks the protocol itself, and says what it likes. */
class Rogue {
  readonly node: MeshNode;
  host!: Presence;

  private constructor(node: MeshNode) {
    this.node = node;
  }

  static async of(mesh: MemoryMesh): Promise<Rogue> {
    const rogue = new Rogue(new MeshNode(await mesh.connect(), realClock));
    const { node } = rogue;
    atEnd(() => node.close());
    await node.subscribe(`${node.ownPrefix}.*`, message => {
      const presence = decodePresence(message.data);
      if (presence) rogue.host = presence;
      else node.receive(message);
    });
    node.publish(node.subjects.who('mesh_calls'), EMPTY, `${node.ownPrefix}.who`);
    await waitFor(() => rogue.host !== undefined, { what: 'the host to say that it is there' });
    return rogue;
  }

  /** A link to the host. */
  link(): { readonly link: Link; readonly said: number[]; isOver(): boolean } {
    const said: number[] = [];
    let isOver = false;
    const receiver = { onMessage: (kind: number) => void said.push(kind), onClosed: () => void (isOver = true) };
    const link = openLink(this.node.connectTo('mesh_calls', this.host.id), receiver, { maxMessageSize: 0 });
    return { link, said, isOver: () => isOver };
  }
}

const BOOT = { version: PROTOCOL_VERSION, workers: [] };

describe('a worker host among hostile callers', function () {
  this.timeout(90_000);
  let mesh: MemoryMesh;
  let host: ServedWorkers;

  before(async () => {
    mesh = memoryMesh();
    host = await serveWorkers(CallsModule, { mesh, workers: ['mesh_calls'], name: 'host', ...quiet });
  });

  after(() => host.close());

  afterEach('it serves others', async () => {
    const app = await bootstrap(CallsModule, { mesh, placement: { mesh_calls: 'remote' }, ...quiet });
    expect(await app.get(Caller).calls.echo('heard')).to.equal('heard');
    await app.close();
  });

  it('answers nowhere but where answers belong', async () => {
    const rogue = await Rogue.of(mesh);
    const { connection, subjects } = rogue.node;
    const elsewhere: string[] = [];
    await connection.subscribe('packet.here.victim', ({ subject }) => void elsewhere.push(subject));
    connection.publish(subjects.who('mesh_calls'), EMPTY, 'packet.here.victim');
    connection.publish(subjects.toHost('mesh_calls', rogue.host.id, 'x'), encodeFrame(FrameKind.PING, 0, 0), 'packet.here.victim');
    connection.publish(subjects.toHost('mesh_calls', rogue.host.id, 'restart'), Buffer.from('{"key":"none"}'), 'packet.here.victim');
    // The answer to a later question comes after those to earlier ones.
    const answered = rogue.node.ask(subjects.toHost('mesh_calls', rogue.host.id, 'restart'), Buffer.from('{"key":"none"}'), 5_000);
    expect(Buffer.from(await answered).toString()).to.include('not started');
    expect(elsewhere).to.deep.equal([]);
  });

  for (const [what, boot] of [
    ['is no object', 7],
    ['names no workers', { version: PROTOCOL_VERSION }],
    ['has a key that is no text', { ...BOOT, key: 5 }],
    ['lists tasks that are none', { ...BOOT, workers: [{ name: 'x', tasks: 'all' }] }],
  ] as const) {
    it(`breaks off a link whose first message ${what}`, async () => {
      const { link, isOver } = (await Rogue.of(mesh)).link();
      link.sendValue(Kind.BOOT, 0, 0, boot);
      await waitFor(isOver, { what: 'the link to end' });
    });
  }

  it('breaks off a link that gives a call a context which is none', async () => {
    const { link, said, isOver } = (await Rogue.of(mesh)).link();
    link.sendValue(Kind.BOOT, 0, 0, BOOT);
    await waitFor(() => said.includes(Kind.READY), { what: 'READY' });
    link.sendValue(Kind.META, 1, 0, { remaining: 'soon', carrier: 3 });
    await waitFor(isOver, { what: 'the link to end' });
  });

  it('stops what it has started for a caller that was gone before it had started', async () => {
    const { link } = (await Rogue.of(mesh)).link();
    link.sendValue(Kind.BOOT, 0, 0, { ...BOOT, key: 'for-nobody' });
    await waitFor(() => host.describe().includes('for-nobody'), { what: 'the start' });
    link.destroy();
    await waitFor(() => !host.describe().includes('for-nobody'), { within: '10s', what: 'the end of what was started' });
  });
});
