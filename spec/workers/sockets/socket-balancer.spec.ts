import { expect } from 'chai';
import { ProtocolError } from '../../../src/errors.js';
import type { SocketHandle } from '../../../src/hosts/host.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { Kind, type SocketMessage } from '../../../src/wire/link/protocol.js';
import type { Link } from '../../../src/wire/link/types.js';
import { SocketBalancer, type PassedSocket } from '../../../src/workers/sockets/socket-balancer.js';
import { SocketLedger } from '../../../src/workers/sockets/socket-ledger.js';

const NAMES = new Map(Object.entries(Kind).map(([name, kind]) => [kind as number, name]));

/** A process that does what the spec says: `said` is what it was told. */
class FakeBerth {
  readonly said: string[] = [];
  readonly handles: SocketHandle[] = [];
  readonly released: SocketHandle[] = [];
  readonly sockets: SocketLedger;
  live = true;
  /** The socket channel breaks at once. */
  broken = false;

  constructor(changed: () => void) {
    const say = (kind: number, id: number, arg: number): number => this.said.push(`${NAMES.get(kind)} ${id} ${arg}`);
    const link: Pick<Link, 'send' | 'sendValue'> = { send: say, sendValue: say };
    const passage = {
      pass: (_id: number, handle: SocketHandle, failed: () => void) => (this.broken ? failed() : void this.handles.push(handle)),
      release: (handle: SocketHandle) => void this.released.push(handle),
    };
    this.sockets = new SocketLedger(link as Link, passage, () => this.live, changed);
  }

  takeAll(): void {
    for (let id = 1; id <= this.handles.length; id++) {
      try {
        this.sockets.taken(id, 0);
      } catch {
        // It has taken that one already.
      }
    }
  }
}

class Table {
  readonly clock = new FakeClock();
  readonly ready: FakeBerth[] = [];
  starting = 0;
  grown = 0;
  error: Error | undefined;
  readonly worker = { name: 'fixture' };
  readonly key = undefined;
  readonly dealing = new SocketBalancer(this);
  /** What became of the parcels, by number. */
  readonly fates: string[] = [];
  #last = 0;

  grow(): void {
    this.grown++;
  }
  unservable(): Error | undefined {
    return this.error;
  }
  join(): FakeBerth {
    const berth = new FakeBerth(() => this.dealing.look());
    this.ready.push(berth);
    this.dealing.look();
    return berth;
  }
  die(berth: FakeBerth): void {
    this.ready.splice(this.ready.indexOf(berth), 1);
    berth.live = false;
    berth.sockets.close();
  }
  parcel(): PassedSocket {
    const name = ++this.#last;
    const message: SocketMessage = { how: 'deal', connection: 0, endpoint: 0, url: 'tcp://127.0.0.1:1' };
    const tell = (what: string): void => void this.fates.push(`${name} ${what}`);
    const parcel = {
      handle: { close: () => tell('closed') },
      message,
      taken: () => tell('taken'),
      gone: () => tell('gone'),
      failed: (error: Error) => tell(`failed: ${error.message}`),
    };
    this.dealing.place(parcel);
    return parcel;
  }
}

describe('dealing sockets to processes', () => {
  it('goes to the one with fewest, and counts what is over off', () => {
    const table = new Table();
    const [a, b] = [table.join(), table.join()];
    for (let i = 0; i < 4; i++) table.parcel();
    expect([a.sockets.size, b.sockets.size]).to.deep.equal([2, 2]);
    a.takeAll();
    b.takeAll();
    a.sockets.gone(1);
    a.sockets.gone(2);
    table.parcel();
    table.parcel();
    expect([a.sockets.size, b.sockets.size]).to.deep.equal([2, 2]);
    expect(table.fates).to.have.members(['1 taken', '2 taken', '3 taken', '4 taken', '1 gone', '3 gone']);
    table.dealing.close(new Error('over'));
  });

  it('lets go of its own descriptor only when the process has said that it has one', () => {
    const table = new Table();
    const berth = table.join();
    const { handle } = table.parcel();
    expect(berth.said).to.deep.equal(['SOCKET 1 0']);
    expect(berth.released).to.deep.equal([]);
    berth.sockets.taken(1, 0);
    expect(berth.said).to.deep.equal(['SOCKET 1 0', 'SOCKET_COMMIT 1 0']);
    expect(berth.released).to.deep.equal([handle]);
    table.dealing.close(new Error('over'));
  });

  it('waits for a process that is being started, evenly, but not longer than a second', async () => {
    const table = new Table();
    const old = table.join();
    table.starting = 1;
    for (let i = 0; i < 4; i++) table.parcel();
    expect([old.sockets.size, table.dealing.waiting]).to.deep.equal([2, 2]);
    await table.clock.advance('1s');
    expect([old.sockets.size, table.dealing.waiting]).to.deep.equal([4, 0]);
    table.dealing.close(new Error('over'));
  });

  it('what waited goes to the new process when it is there', () => {
    const table = new Table();
    const old = table.join();
    table.starting = 1;
    for (let i = 0; i < 4; i++) table.parcel();
    table.starting = 0;
    const fresh = table.join();
    expect([old.sockets.size, fresh.sockets.size]).to.deep.equal([2, 2]);
    table.dealing.close(new Error('over'));
  });

  it('a process that dies before it has acknowledged loses no connection', () => {
    const table = new Table();
    const [a, b] = [table.join(), table.join()];
    table.parcel();
    table.parcel();
    table.die(a);
    expect(b.sockets.size).to.equal(2);
    b.takeAll();
    expect(table.fates).to.have.members(['1 taken', '2 taken']);
    expect(table.clock.pending).to.be.below(2);
    table.dealing.close(new Error('over'));
  });

  it('an acknowledgement of a process that is dying comes too late: somebody else gets the socket', () => {
    const table = new Table();
    const [a, b] = [table.join(), table.join()];
    table.parcel();
    a.live = false;
    a.sockets.taken(1, 0);
    expect(table.fates).to.deep.equal([]);
    table.die(a);
    b.takeAll();
    expect(table.fates).to.deep.equal(['1 taken']);
    table.dealing.close(new Error('over'));
  });

  it('what a process does not answer for within a second goes to another one; its late answer is let go of', async () => {
    const table = new Table();
    const [stopped, other] = [table.join(), table.join()];
    table.parcel();
    table.parcel();
    other.takeAll();
    await table.clock.advance('1500ms');
    expect(other.sockets.size).to.equal(2);
    other.takeAll();
    expect(stopped.said).to.include('SOCKET_COMMIT 1 1');
    expect(table.fates).to.have.members(['1 taken', '2 taken']);
    stopped.sockets.taken(1, 0);
    expect(stopped.released).to.deep.equal([]);
    expect(() => stopped.sockets.taken(1, 0)).to.throw(ProtocolError);
    table.dealing.close(new Error('over'));
  });

  it('has at most 16 on their way to one process', () => {
    const table = new Table();
    const berth = table.join();
    for (let i = 0; i < 20; i++) table.parcel();
    expect([berth.sockets.inFlight, table.dealing.waiting]).to.deep.equal([16, 4]);
    berth.sockets.taken(1, 0);
    expect([berth.sockets.inFlight, table.dealing.waiting]).to.deep.equal([16, 3]);
    table.dealing.close(new Error('over'));
    expect(table.fates.filter(fate => fate.endsWith('failed: over'))).to.have.length(3);
  });

  it('gives up on a socket that five processes did not take', async () => {
    const table = new Table();
    for (let i = 0; i < 5; i++) table.join().broken = true;
    table.parcel();
    await table.clock.advance('5s');
    expect(table.fates).to.deep.equal(['1 failed: worker fixture is not available: 5 of its processes did not take the connection']);
    table.dealing.close(new Error('over'));
  });

  it('fails at once what nobody will take: it cannot be started, or it is over', () => {
    const table = new Table();
    table.error = new Error('it cannot be started');
    table.parcel();
    table.dealing.close(new Error('over'));
    table.parcel();
    expect(table.fates).to.deep.equal(['1 failed: it cannot be started', '2 failed: worker fixture is not available: it is being stopped']);
    expect(table.clock.pending).to.equal(0);
  });
});
