import { expect } from 'chai';
import {
  ConnectError,
  Connection,
  inject,
  injectable,
  Module,
  OnClose,
  OnConnect,
  OnData,
  Peer,
  bootstrap,
  type App,
  type CloseReason,
} from 'packet-ts';
import { raw } from 'packet-ts/framing';
import { atEnd, tcpClient, waitFor } from '../kit/index.js';

const journal: string[] = [];

/** Notes its callbacks by the names that Packet and EventMachine have for them. */
@injectable()
class Noting {
  constructor(@inject(Peer) protected readonly peer: Peer<Buffer, string>) {
    journal.push('post_init');
  }
  @OnConnect() connected(): void {
    journal.push('connection_completed');
  }
  @OnData() data(bytes: Buffer): string | undefined {
    const text = bytes.toString();
    journal.push(`receive_data ${text}`);
    if (text === 'close') {
      this.peer.destroy();
      journal.push(`closed: send is ${this.peer.send('too late')}`);
    }
    if (text === 'finish') {
      this.peer.send('all ');
      this.peer.end('of it');
      journal.push('finishing');
    }
    if (text === 'throw') throw new Error('a hook that fails');
    return undefined;
  }
  @OnClose() unbind({ by, code }: CloseReason): void {
    journal.push(`unbind ${by} ${code}`);
  }
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: raw() })
class Inbound extends Noting {}

@Connection({ framing: raw() })
class Outbound extends Noting {}

/** What Packet's users knew, row by row: `post_init`, `connection_completed`, `receive_data`, `unbind`. */
describe('the order of callbacks', () => {
  let app: App;
  beforeEach(async () => {
    @Module({ connections: [Inbound] })
    class AppModule {}
    app = await bootstrap(AppModule, { signals: false, logger: false });
    atEnd(() => app.close());
    journal.length = 0;
  });

  const client = () => tcpClient(app.address(Inbound).port);
  const told = (entry: string) => waitFor(() => journal.includes(entry), { what: () => `${entry}; told so far: ${journal.join(', ')}` });

  it('inbound accepted: post_init, then connection_completed – also on accept', async () => {
    await client();
    await told('connection_completed');
    expect(journal).to.deep.equal(['post_init', 'connection_completed']);
  });

  it('outbound, success: nothing exists until the socket connects; then post_init, connection_completed, and only then connect() resolves', async () => {
    const { port } = app.address(Inbound);
    const dialled = app.reactor.connect(Outbound, `tcp://127.0.0.1:${port}`);
    expect(journal).to.deep.equal([]);
    const handler = await dialled;
    journal.push('connected');
    expect(handler).to.be.instanceOf(Outbound);
    await waitFor(() => journal.length === 5);
    // The two sides are two connections: each has its own order.
    expect(journal.filter(entry => entry === 'post_init')).to.have.length(2);
    expect(journal.indexOf('post_init')).to.be.below(journal.indexOf('connection_completed'));
    expect(journal.lastIndexOf('connection_completed')).to.be.at.least(journal.lastIndexOf('post_init'));
  });

  it('outbound, failure: no handler is made, nothing is called, and the promise says why (Packet called post_init and unbind without a reason)', async () => {
    const closed = await tcpClient(app.address(Inbound).port);
    await closed.destroy();
    journal.length = 0;
    const error: unknown = await app.reactor.connect(Outbound, 'tcp://127.0.0.1:1').catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(ConnectError).and.to.include({ reason: 'refused' });
    expect(journal.filter(entry => !entry.startsWith('unbind'))).to.deep.equal([]);
  });

  it('data: receive_data gets what is there', async () => {
    const peer = await client();
    await peer.send('some bytes');
    await told('receive_data some bytes');
    expect(journal).to.deep.equal(['post_init', 'connection_completed', 'receive_data some bytes']);
  });

  it('the peer ends with data pending: receive_data of the rest, then unbind, once, with the reason', async () => {
    const peer = await client();
    peer.end('the rest');
    await told('unbind peer END');
    await peer.closed;
    expect(journal).to.deep.equal(['post_init', 'connection_completed', 'receive_data the rest', 'unbind peer END']);
  });

  it('local close: unbind comes after the method that closes, not inside it, and once (Packet called it inside, and again on every call)', async () => {
    const peer = await client();
    await peer.send('close');
    await told('unbind local DESTROY');
    peer.end();
    expect(journal.slice(2)).to.deep.equal(['receive_data close', 'closed: send is false', 'unbind local DESTROY']);
  });

  it('local close after writing: everything that was sent arrives before (Packet dropped what waited)', async () => {
    const peer = await client();
    await peer.send('finish');
    expect(await peer.all()).to.equal('all of it');
    peer.end();
    await told('unbind local END');
    expect(journal.slice(2)).to.deep.equal(['receive_data finish', 'finishing', 'unbind local END']);
  });

  it('a hook that throws: unbind with the reason, and the reactor runs on (Packet’s ended)', async () => {
    const peer = await client();
    await peer.send('throw');
    await peer.all();
    peer.end();
    await told('unbind error Error');
    journal.length = 0;
    await client();
    await told('connection_completed');
  });

  it('reconnect: a new handler for each connection, post_init and connection_completed for each, and no unbind for an attempt that fails', async () => {
    const { port } = app.address(Inbound);
    const dialer = app.reactor.dial(Outbound, `tcp://127.0.0.1:${port}`, { reconnect: { delay: 10, jitter: false } });
    atEnd(() => dialer.close());
    await waitFor(() => dialer.state === 'up');
    const first = dialer.current;
    for (const { handler, peer } of app.reactor.connections(Inbound)) {
      expect(handler).to.be.instanceOf(Inbound);
      peer.destroy();
    }
    await waitFor(() => dialer.state === 'up' && dialer.current !== first);
    await waitFor(() => journal.filter(entry => entry === 'connection_completed').length === 4);
    expect(journal.filter(entry => entry === 'post_init')).to.have.length(4);
    expect(journal.filter(entry => entry.startsWith('unbind')).sort()).to.deep.equal(['unbind local DESTROY', 'unbind peer END']);
  });
});
