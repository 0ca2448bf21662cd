import { expect } from 'chai';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { unacknowledgedBytes } from '../../../src/endpoints/net/send-queue.js';
import { atEnd, waitFor } from '../../kit/index.js';

const MB = 1024 * 1024;

describe('the bytes that the system holds for a peer', () => {
  // Only there does the system tell.
  if (process.platform !== 'linux') return;

  /** A socket whose peer reads nothing until it is told to. */
  async function pair(): Promise<{ readonly ours: Socket; readonly theirs: Socket }> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const theirs = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
    const [ours] = (await once(server, 'connection')) as [Socket];
    for (const socket of [ours, theirs]) socket.on('error', () => {});
    atEnd(() => {
      server.close();
      ours.destroy();
      theirs.destroy();
    });
    return { ours, theirs };
  }

  it('are counted anew where the last look at them is older than it may be', async () => {
    const { ours } = await pair();
    expect(await unacknowledgedBytes(ours, 0)).to.equal(0);
    ours.write(Buffer.alloc(30 * MB));
    const counts = [unacknowledgedBytes(ours, 0), unacknowledgedBytes(ours, 0), unacknowledgedBytes(ours, Infinity)];
    for (const count of await Promise.all(counts)) expect(count).to.be.greaterThan(0);
  });

  it('are none when the peer has read them', async () => {
    const { ours, theirs } = await pair();
    ours.write(Buffer.alloc(MB));
    theirs.resume();
    await waitFor(async () => (await unacknowledgedBytes(ours, 0)) === 0);
  });
});
