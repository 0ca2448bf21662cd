import { expect } from 'chai';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Connection, OnClose, Peer, type CloseReason } from 'packet-ts';
import { raw } from 'packet-ts/framing';
import { unacknowledgedBytes } from '../../../src/endpoints/net/send-queue.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { Events } from '../../kit/events.js';
import { tcpClient, waitFor } from '../../kit/index.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { turns } from '../../kit/signals.js';

const MB = 1024 * 1024;
/** The client reads in such steps: far less than the third of a send buffer that must be free before the system takes more. */
const STEP = 64 * 1024;

describe('a client that reads slowly but all the time', function () {
  // Only there does the system show what a peer has acknowledged; elsewhere several drainTimeouts pass.
  if (process.platform !== 'linux') return;
  let clock: FakeClock;
  let r: Rig;
  const reasons: CloseReason[] = [];
  beforeEach(() => {
    r = rig((clock = new FakeClock()));
    reasons.length = 0;
  });
  afterEach(() => r.close());

  @Connection({ framing: raw(), drainTimeout: '10s', maxBufferedBytes: '64mb' })
  class Download {
    constructor(readonly peer: Peer) {
      peer.send(Buffer.alloc(30 * MB));
    }
    @OnClose() note(reason: CloseReason): void {
      reasons.push(reason);
    }
  }

  it('is not cut off by drainTimeout, also while the system takes nothing more from us', async () => {
    const { address } = await r.listen(Download, 'tcp://127.0.0.1:0');
    const { socket } = await tcpClient(address.port);
    socket.removeAllListeners('data').pause();
    const [session] = await waitFor(() => (r.made.length > 0 ? [...r.core.sessions(Download)] : undefined));
    const ours = session!.transport.raw as Socket;
    const { peer } = r.made[0] as Download;
    // Both systems have taken what they hold.
    let held = -1;
    await waitFor(async () => held === (held = (await unacknowledgedBytes(ours, 0))!) && held > STEP);
    for (let i = 0; i < 8; i++) {
      const { bytesWritten } = peer;
      await clock.advance('9s');
      const before = (await unacknowledgedBytes(ours, 0))!;
      // As little as lets the other side's system acknowledge something.
      do {
        const enough = socket.bytesRead + STEP;
        socket.resume();
        while (socket.bytesRead < enough) await once(socket, 'data');
        socket.pause();
        await turns();
      } while (peer.bytesWritten === bytesWritten && (await unacknowledgedBytes(ours, 0))! >= before);
      await clock.advance('1s');
      await unacknowledgedBytes(ours, 0);
      await turns();
      expect(reasons).to.deep.equal([]);
    }
  });

  it('is closed by limit when it stops reading for drainTimeout, and the log says so', async () => {
    const { address } = await r.listen(Download, 'tcp://127.0.0.1:0');
    const client = await tcpClient(address.port);
    client.socket.pause();
    await waitFor(() => r.made.length > 0);
    using limits = new Events('connection.limit');
    await waitFor(async () => {
      await clock.advance('10s');
      return reasons.length > 0;
    });
    expect(reasons.map(({ by, code }) => ({ by, code }))).to.deep.equal([{ by: 'limit', code: 'drainTimeout' }]);
    expect(limits.seen.map(({ limit }) => limit)).to.deep.equal(['drainTimeout']);
  });
});
