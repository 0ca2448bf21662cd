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
class FakeProcess {
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
        this.sockets.onAck(id, 0);
      } catch {
        // It has taken that one already.
      }
    }
  }
}

class TestPool {
  readonly clock = new FakeClock();
  readonly ready: FakeProcess[] = [];
  startingCount = 0;
  grown = 0;
  error: Error | undefined;
  readonly worker = { name: 'fixture' };
  readonly key = undefined;
  readonly balancer = new SocketBalancer(this);
  /** What became of the sockets, by number. */
  readonly fates: string[] = [];
  #last = 0;

  grow(): void {
    this.grown++;
  }
  unservableReason(): Error | undefined {
    return this.error;
  }
  join(): FakeProcess {
    const process = new FakeProcess(() => this.balancer.review());
    this.ready.push(process);
    this.balancer.review();
    return process;
  }
  die(process: FakeProcess): void {
    this.ready.splice(this.ready.indexOf(process), 1);
    process.live = false;
    process.sockets.close();
  }
  passSocket(): PassedSocket {
    const name = ++this.#last;
    const message: SocketMessage = { how: 'deal', connection: 0, endpoint: 0, url: 'tcp://127.0.0.1:1' };
    const tell = (what: string): void => void this.fates.push(`${name} ${what}`);
    const socket = {
      handle: { close: () => tell('closed') },
      message,
      onTaken: () => tell('taken'),
      onClosed: () => tell('gone'),
      onFailed: (error: Error) => tell(`failed: ${error.message}`),
    };
    this.balancer.place(socket);
    return socket;
  }
}

describe('the socket balancer', () => {
  it('goes to the one with fewest, and counts what is over off', () => {
    const pool = new TestPool();
    const [a, b] = [pool.join(), pool.join()];
    for (let i = 0; i < 4; i++) pool.passSocket();
    expect([a.sockets.size, b.sockets.size]).to.deep.equal([2, 2]);
    a.takeAll();
    b.takeAll();
    a.sockets.onClosed(1);
    a.sockets.onClosed(2);
    pool.passSocket();
    pool.passSocket();
    expect([a.sockets.size, b.sockets.size]).to.deep.equal([2, 2]);
    expect(pool.fates).to.have.members(['1 taken', '2 taken', '3 taken', '4 taken', '1 gone', '3 gone']);
    pool.balancer.close(new Error('over'));
  });

  it('lets go of its own descriptor only when the process has said that it has one', () => {
    const pool = new TestPool();
    const process = pool.join();
    const { handle } = pool.passSocket();
    expect(process.said).to.deep.equal(['SOCKET 1 0']);
    expect(process.released).to.deep.equal([]);
    process.sockets.onAck(1, 0);
    expect(process.said).to.deep.equal(['SOCKET 1 0', 'SOCKET_COMMIT 1 0']);
    expect(process.released).to.deep.equal([handle]);
    pool.balancer.close(new Error('over'));
  });

  it('waits for a process that is being started, evenly, but not longer than a second', async () => {
    const pool = new TestPool();
    const old = pool.join();
    pool.startingCount = 1;
    for (let i = 0; i < 4; i++) pool.passSocket();
    expect([old.sockets.size, pool.balancer.waitingCount]).to.deep.equal([2, 2]);
    await pool.clock.advance('1s');
    expect([old.sockets.size, pool.balancer.waitingCount]).to.deep.equal([4, 0]);
    pool.balancer.close(new Error('over'));
  });

  it('what waited goes to the new process when it is there', () => {
    const pool = new TestPool();
    const old = pool.join();
    pool.startingCount = 1;
    for (let i = 0; i < 4; i++) pool.passSocket();
    pool.startingCount = 0;
    const fresh = pool.join();
    expect([old.sockets.size, fresh.sockets.size]).to.deep.equal([2, 2]);
    pool.balancer.close(new Error('over'));
  });

  it('a process that dies before it has acknowledged loses no connection', () => {
    const pool = new TestPool();
    const [a, b] = [pool.join(), pool.join()];
    pool.passSocket();
    pool.passSocket();
    pool.die(a);
    expect(b.sockets.size).to.equal(2);
    b.takeAll();
    expect(pool.fates).to.have.members(['1 taken', '2 taken']);
    expect(pool.clock.pending).to.be.below(2);
    pool.balancer.close(new Error('over'));
  });

  it('an acknowledgement of a process that is dying comes too late: somebody else gets the socket', () => {
    const pool = new TestPool();
    const [a, b] = [pool.join(), pool.join()];
    pool.passSocket();
    a.live = false;
    a.sockets.onAck(1, 0);
    expect(pool.fates).to.deep.equal([]);
    pool.die(a);
    b.takeAll();
    expect(pool.fates).to.deep.equal(['1 taken']);
    pool.balancer.close(new Error('over'));
  });

  it('what a process does not answer for within a second goes to another one; its late answer is let go of', async () => {
    const pool = new TestPool();
    const [stopped, other] = [pool.join(), pool.join()];
    pool.passSocket();
    pool.passSocket();
    other.takeAll();
    await pool.clock.advance('1500ms');
    expect(other.sockets.size).to.equal(2);
    other.takeAll();
    expect(stopped.said).to.include('SOCKET_COMMIT 1 1');
    expect(pool.fates).to.have.members(['1 taken', '2 taken']);
    stopped.sockets.onAck(1, 0);
    expect(stopped.released).to.deep.equal([]);
    expect(() => stopped.sockets.onAck(1, 0)).to.throw(ProtocolError);
    pool.balancer.close(new Error('over'));
  });

  it('has at most 16 on their way to one process', () => {
    const pool = new TestPool();
    const process = pool.join();
    for (let i = 0; i < 20; i++) pool.passSocket();
    expect([process.sockets.inFlight, pool.balancer.waitingCount]).to.deep.equal([16, 4]);
    process.sockets.onAck(1, 0);
    expect([process.sockets.inFlight, pool.balancer.waitingCount]).to.deep.equal([16, 3]);
    pool.balancer.close(new Error('over'));
    expect(pool.fates.filter(fate => fate.endsWith('failed: over'))).to.have.length(3);
  });

  it('gives up on a socket that five processes did not take', async () => {
    const pool = new TestPool();
    for (let i = 0; i < 5; i++) pool.join().broken = true;
    pool.passSocket();
    await pool.clock.advance('5s');
    expect(pool.fates).to.deep.equal(['1 failed: worker fixture is not available: 5 of its processes did not take the connection']);
    pool.balancer.close(new Error('over'));
  });

  it('fails at once what nobody will take: it cannot be started, or it is over', () => {
    const pool = new TestPool();
    pool.error = new Error('it cannot be started');
    pool.passSocket();
    pool.balancer.close(new Error('over'));
    pool.passSocket();
    expect(pool.fates).to.deep.equal(['1 failed: it cannot be started', '2 failed: worker fixture is not available: it is being stopped']);
    expect(pool.clock.pending).to.equal(0);
  });
});
