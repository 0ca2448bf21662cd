import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnData, OnDrain } from '../../../src/decorators/connection/connection-hooks.js';
import type { CloseReason } from '../../../src/decorators/hook-types.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer } from '../../../src/reactor/index.js';
import { tcpClient } from '../../kit/index.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { Journal } from '../../kit/signals.js';

describe('a connection that is dropped for what waits to be sent', () => {
  let kit: Rig;
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());

  it('is not told that there is room again', async () => {
    const journal = new Journal();
    @Connection({ framing: lines(), maxBufferedBytes: '1mb' })
    class Floods {
      constructor(private readonly peer: Peer<string, string>) {}
      @OnData() go() {
        while (this.peer.send('y'.repeat(65_536)));
      }
      @OnDrain() drained() {
        journal.note(`drained, gone: ${this.peer.signal.aborted}`);
      }
      @OnClose() closed({ by, code }: CloseReason) {
        journal.note(`${by} ${code}`);
      }
    }
    const { address } = await kit.listen(Floods, 'tcp://127.0.0.1:0');
    const client = await tcpClient(address.port);
    client.socket.pause();
    await client.send('go\n');
    await journal.has('limit maxBufferedBytes');
    expect(journal.entries).to.deep.equal(['limit maxBufferedBytes']);
  });
});
