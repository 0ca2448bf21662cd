import { expect } from 'chai';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData, OnError, OnShutdown } from '../../../src/decorators/connection/connection-hooks.js';
import type { About, CloseReason } from '../../../src/decorators/hook-types.js';
import { schemeNamed, type Remote } from '../../../src/endpoints/endpoint.js';
import { json } from '../../../src/framing/json.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer } from '../../../src/reactor/index.js';
import { Events } from '../../kit/events.js';
import { needsProgram, spawnProgram } from '../../kit/index.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { deferred, Journal, turns } from '../../kit/signals.js';
import { UdpClient } from '../../kit/clients/udp-client.js';

const ANY = 'udp://127.0.0.1:0';

@Connection()
class Echo {
  readonly closed = deferred<CloseReason>();
  constructor(readonly peer: Peer<Buffer, Buffer | string>) {}
  @OnData() data(message: Buffer): unknown {
    return message;
  }
  @OnClose() close(reason: CloseReason) {
    this.closed.resolve(reason);
  }
}

@Connection({ framing: lines({ maxLength: 100 }) })
class Asker {
  readonly heard = new Journal();
  readonly closed = deferred<CloseReason>();
  constructor(readonly peer: Peer<string, string>) {}
  @OnConnect() ask() {
    return 'hello';
  }
  @OnData() data(line: string, from: Remote) {
    this.heard.note(`${line} from ${from.url}`);
  }
  @OnClose() close(reason: CloseReason) {
    this.closed.resolve(reason);
  }
}

describe('udp:', () => {
  let kit: Rig;
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());
  const first = <T extends object>(): T => kit.made[0] as T;

  describe('listening', () => {
    it('makes one instance per socket, and what it returns goes to the sender', async () => {
      const { address } = await kit.listen(Echo, ANY);
      const [one, two] = [await UdpClient.open(), await UdpClient.open()];
      await one.send('1', address.port);
      await two.send('2', address.port);
      expect(await one.text()).to.equal('1');
      const { message, info } = await two.next();
      expect(message.toString()).to.equal('2');
      expect(info).to.include({ address: '127.0.0.1', port: address.port });
      expect(kit.made).to.have.length(1);
      expect(address.url).to.equal(`udp://127.0.0.1:${address.port}`);
      expect(first<Echo>().peer.local).to.deep.equal({ url: address.url, address: '127.0.0.1', port: address.port });
    });

    it('says from whom a message is, and sends to others, too', async () => {
      @Connection()
      class Relay {
        constructor(readonly peer: Peer) {}
        @OnData() data(message: Buffer, from: Remote) {
          const port = Number(message.toString());
          this.peer.sendTo(`from ${from.port}`, { url: `udp://127.0.0.1:${port}` });
          this.peer.sendTo('passed on', from);
        }
      }
      const { address } = await kit.listen(Relay, ANY);
      const [one, two] = [await UdpClient.open(), await UdpClient.open()];
      await one.send(String(two.port), address.port);
      expect(await two.text()).to.equal(`from ${one.port}`);
      expect(await one.text()).to.equal('passed on');
    });

    it('takes and sends empty datagrams, and those of full size', async () => {
      const { address } = await kit.listen(Echo, ANY);
      const client = await UdpClient.open();
      client.socket.setRecvBufferSize(400_000);
      await client.send('', address.port);
      expect((await client.next()).message).to.have.length(0);
      const full = Buffer.alloc(65_507, 'x');
      await client.send(full, address.port);
      expect((await client.next()).message.equals(full)).to.equal(true);
    });

    it('refuses to encode what does not fit into a datagram, and goes on', async () => {
      @Connection()
      class Long {
        @OnData() data() {
          return Buffer.alloc(65_508);
        }
        @OnError() explain(error: Error, { during }: About) {
          return `${error.name} ${during}: ${(error.cause as Error).message}`;
        }
      }
      const { address } = await kit.listen(Long, ANY);
      const client = await UdpClient.open();
      await client.send('?', address.port);
      expect(await client.text()).to.match(/^EncodeError encode: .*65508 bytes.*65507/);
    });

    it('reads each datagram by itself: whole messages, with the delimiter left off in answers', async () => {
      @Connection({ framing: lines() })
      class Upper {
        @OnData() data(line: string) {
          return line.toUpperCase();
        }
      }
      const { address } = await kit.listen(Upper, ANY);
      const client = await UdpClient.open();
      await client.send('half', address.port);
      expect(await client.text()).to.equal('HALF');
      await client.send('one\ntwo\n', address.port);
      expect(await client.texts(2)).to.deep.equal(['ONE', 'TWO']);
    });

    it('tells a datagram that cannot be read with its sender, whom the answer goes to; the next one is read', async () => {
      @Connection({ framing: json() })
      class Json {
        @OnData() data(value: unknown) {
          return { value };
        }
        @OnError() explain(error: Error, { during, from }: About) {
          return { error: error.name, during, port: from?.port };
        }
      }
      const { address } = await kit.listen(Json, ANY);
      const [bad, good] = [await UdpClient.open(), await UdpClient.open()];
      await bad.send(`{"cut${'x'.repeat(100)}`, address.port);
      await good.send('1', address.port);
      expect(JSON.parse(await bad.text())).to.deep.equal({ error: 'FramingError', during: 'framing', port: bad.port });
      expect(await good.text()).to.equal('{"value":1}');
    });

    it('a sender whose message fails, and nobody explains it, costs the others nothing: it is logged', async () => {
      @Connection({ framing: json() })
      class Strict {
        @OnData() data(value: unknown) {
          if (value === 'boom') throw new Error('no');
          return value;
        }
      }
      using errors = new Events('connection.error');
      const { address } = await kit.listen(Strict, ANY);
      const client = await UdpClient.open();
      for (const message of ['not json', '"boom"', '"fine"']) await client.send(message, address.port);
      expect(await client.text()).to.equal('"fine"');
      expect(errors.seen.map(({ during, from }) => [during, from])).to.deep.equal([
        ['framing', `udp://127.0.0.1:${client.port}`],
        ['message', `udp://127.0.0.1:${client.port}`],
      ]);
    });

    it('handles 64 messages at once, and answers leave as they come', async () => {
      const slow = deferred<string>();
      @Connection({ framing: lines() })
      class Slow {
        static running = 0;
        @OnData() async data(line: string) {
          Slow.running++;
          return line === 'slow' ? slow.promise : line;
        }
      }
      const { address } = await kit.listen(Slow, ANY);
      const client = await UdpClient.open();
      await client.send('slow', address.port);
      await client.send('quick', address.port);
      expect(await client.text()).to.equal('quick');
      slow.resolve('at last');
      expect(await client.text()).to.equal('at last');
    });

    it('is fair: who sends much does not keep others waiting, and loses what has no room', async () => {
      const gates: (() => void)[] = [];
      const order: string[] = [];
      @Connection({ framing: lines(), concurrency: 1, highWaterMark: 1024, lowWaterMark: 512 })
      class Fair {
        constructor(readonly peer: Peer) {}
        @OnData() async data(line: string) {
          order.push(line);
          await new Promise<void>(resolve => gates.push(resolve));
          return line;
        }
      }
      const { address } = await kit.listen(Fair, ANY);
      const [flood, calm] = [await UdpClient.open(), await UdpClient.open()];
      for (let i = 100; i < 300; i++) await flood.send(`flood ${i}`, address.port);
      await calm.send('calm', address.port);
      while (first<InstanceType<typeof Fair>>().peer.bytesRead < 200 * 'flood 100'.length + 'calm'.length) await turns(1);
      const answered = calm.text();
      for (let free = false; !free;) {
        for (const open of gates.splice(0)) open();
        free = await Promise.race([answered.then(() => true), turns(1).then(() => false)]);
      }
      expect(order.indexOf('calm')).to.be.lessThan(3);
    });

    it('loses and tells what is sent beyond maxBufferedBytes, and lives', async () => {
      const errors: { readonly error: Error; readonly about: About }[] = [];
      @Connection({ maxBufferedBytes: '64kb', highWaterMark: '16kb' })
      class Loud {
        constructor(readonly peer: Peer) {}
        @OnData() data(message: Buffer, from: Remote) {
          if (message.toString() === 'much') for (let i = 0; i < 20; i++) this.peer.sendTo(Buffer.alloc(10_000), from);
          return message;
        }
        @OnError() failed(error: Error, about: About) {
          errors.push({ error, about });
        }
      }
      const { address } = await kit.listen(Loud, ANY);
      const client = await UdpClient.open();
      await client.send('much', address.port);
      for (let i = 0; i < 7; i++) expect((await client.next()).message).to.have.length(10_000);
      expect(errors.length).to.be.greaterThan(10);
      expect(errors[0]!.error).to.include({ name: 'LimitError', limit: 'maxBufferedBytes' });
      expect(errors[0]!.about).to.deep.equal({ during: 'socket', from: errors[0]!.about.from });
      expect(errors[0]!.about.from).to.include({ port: client.port });
      await client.send('still there', address.port);
      expect(await client.text()).to.equal('still there');
    });

    it('takes datagrams only from those whom allow and deny let in', async () => {
      const { address } = await kit.listen(Echo, 'udp://0.0.0.0:0', { deny: ['127.0.0.2'] });
      const [denied, other] = [await UdpClient.open('127.0.0.2'), await UdpClient.open()];
      await denied.send('a', address.port);
      await other.send('b', address.port);
      expect(await other.text()).to.equal('b');
      expect(first<Echo>().peer.bytesRead).to.equal(1);
    });

    it('refuses to send where nothing says to whom', async () => {
      await kit.listen(Echo, ANY);
      expect(() => first<Echo>().peer.send('?')).to.throw(/sendTo/);
      expect(() => first<Echo>().peer.end('?')).to.throw(/sendTo/);
    });

    it('tells what could not be sent, and lives', async () => {
      const told = deferred<About>();
      @Connection()
      class Wrong {
        constructor(readonly peer: Peer) {}
        @OnData() data(message: Buffer) {
          this.peer.sendTo('nowhere', { url: 'udp://127.0.0.1:0' });
          return message;
        }
        @OnError() explain(_error: Error, about: About) {
          told.resolve(about);
          return 'never sent';
        }
      }
      const { address } = await kit.listen(Wrong, ANY);
      const client = await UdpClient.open();
      await client.send('still here', address.port);
      expect(await told.promise).to.deep.include({ during: 'socket', from: { url: 'udp://127.0.0.1:0' } });
      expect(await client.text()).to.equal('still here');
    });

    it('listens on IPv6', async () => {
      const { address } = await kit.listen(Echo, 'udp://[::1]:0');
      const client = await UdpClient.open('::1');
      await client.send('six', address.port, '::1');
      expect(await client.text()).to.equal('six');
      expect(address.url).to.equal(`udp://[::1]:${address.port}`);
    });

    it('closing its listener answers what was received, closes the instance and frees the address', async () => {
      const listening = await kit.listen(Echo, ANY);
      const { url } = listening.address;
      await listening.close();
      expect(await first<Echo>().closed.promise).to.deep.equal({ by: 'local', code: 'END' });
      await kit.listen(Echo, url as 'udp://');
    });

    it('suspended, nobody has the address; resumed, a new instance does', async () => {
      const listening = await kit.listen(Echo, ANY);
      await listening.suspend();
      expect(kit.core.count()).to.equal(0);
      await listening.resume();
      const client = await UdpClient.open();
      await client.send('again', listening.address.port);
      expect(await client.text()).to.equal('again');
      expect(kit.made).to.have.length(2);
    });

    it('when the application closes, @OnShutdown runs and answers that are due are sent', async () => {
      const gate = deferred();
      const shut = deferred();
      @Connection()
      class Due {
        @OnData() async data(message: Buffer) {
          await gate.promise;
          return message;
        }
        @OnShutdown() shutdown() {
          shut.resolve();
          return 'to nobody';
        }
      }
      const { address } = await kit.listen(Due, ANY);
      const client = await UdpClient.open();
      await client.send('due', address.port);
      await client.send('due', address.port);
      while (kit.core.busy === 0) await turns(1);
      await kit.core.stopListening();
      const drained = kit.core.drain();
      await shut.promise;
      gate.resolve();
      expect(await client.text()).to.equal('due');
      await drained;
      expect(kit.core.count()).to.equal(0);
    });

    it('refuses an address that is in use', async () => {
      const { address } = await kit.listen(Echo, ANY);
      const error = await kit.listen(Echo, address.url as 'udp://').catch((thrown: Error) => thrown);
      expect(error).to.have.property('message', `cannot listen on ${address.url}: the address is in use (EADDRINUSE)`);
    });

    it('does not listen when its handler cannot be made', async () => {
      @Connection()
      class Broken {
        constructor() {
          throw new Error('no');
        }
        @OnData() data() {}
      }
      const error = await kit.listen(Broken, ANY).catch((thrown: Error) => thrown);
      expect(error).to.include({ name: 'ListenError' });
    });

    it('survives anything that strangers send', async () => {
      @Connection({ framing: json() })
      class Json {
        @OnData() data(value: unknown) {
          return value;
        }
        @OnError() explain() {
          throw new Error('this, too');
        }
      }
      const { address } = await kit.listen(Json, ANY);
      const client = await UdpClient.open();
      for (let i = 0; i < 100; i++) await client.send(Buffer.alloc(i, i), address.port);
      await client.send('"alive"', address.port);
      const answers: string[] = [];
      while (answers.at(-1) !== '"alive"') answers.push(await client.text());
      expect(kit.core.count()).to.equal(1);
    });
  });

  describe('connected', () => {
    it('sends to its target and hears it alone', async () => {
      const target = await UdpClient.open();
      const stranger = await UdpClient.open();
      const asker = await kit.reactor.connect(Asker, `udp://127.0.0.1:${target.port}`);
      const { message, info } = await target.next();
      expect(message.toString()).to.equal('hello');
      await stranger.send('not you', info.port);
      await target.send('you', info.port);
      await asker.heard.has(`you from udp://127.0.0.1:${target.port}`);
      expect(asker.heard.entries).to.have.length(1);
      expect(asker.peer.remote).to.deep.equal({ url: `udp://127.0.0.1:${target.port}`, address: '127.0.0.1', port: target.port });
      asker.peer.send('more');
      expect(await target.text()).to.equal('more');
      await asker.peer.flush();
      expect(asker.peer.bytesWritten).to.equal(9);
    });

    it('sends its last message and closes', async () => {
      const target = await UdpClient.open();
      const asker = await kit.reactor.connect(Asker, `udp://127.0.0.1:${target.port}`);
      asker.peer.end('bye');
      expect(await target.texts(2)).to.deep.equal(['hello', 'bye']);
      expect(await asker.closed.promise).to.deep.equal({ by: 'local', code: 'END' });
    });

    it('closes by an error when the system says that nobody is there', async () => {
      const port = await freePort();
      const asker = await kit.reactor.connect(Asker, `udp://127.0.0.1:${port}`);
      const { by, code } = await asker.closed.promise;
      expect({ by, code }).to.deep.equal({ by: 'error', code: 'ECONNREFUSED' });
    });

    it('tells a name that does not exist, and gives up when told', async () => {
      const nowhere = await kit.reactor.connect(Asker, 'udp://does-not-exist.invalid:80').catch((thrown: Error) => thrown);
      expect(nowhere).to.include({ name: 'ConnectError', reason: 'unresolvable' });
      const signal = AbortSignal.abort();
      const given = await kit.reactor.connect(Asker, 'udp://127.0.0.1:9', { signal }).catch((thrown: Error) => thrown);
      expect(given).to.include({ name: 'ConnectError', reason: 'aborted' });
      expect(kit.made).to.have.length(0);
    });
  });

  it('checks urls and groups without touching the system', () => {
    const check = (url: string, options = {}, use: 'listen' | 'connect' = 'listen') => schemeNamed('udp')!.check!({ url, options }, use);
    expect(check('udp://host')).to.match(/udp:\/\/host:port/);
    expect(check('udp://127.0.0.1:0', {}, 'connect')).to.match(/port 0/);
    expect(check('udp://0.0.0.0:1', { multicast: { groups: ['10.0.0.1'] } })).to.match(/no multicast group/);
    expect(check('udp://[::]:1', { multicast: { groups: ['239.0.0.1'] } })).to.match(/other address family/);
    expect(check('udp://[::]:1', { broadcast: true })).to.match(/no broadcast/);
    expect(check('udp://0.0.0.0:1', { multicast: { groups: ['239.0.0.1'] } })).to.equal(undefined);
  });

  it('hears a multicast group, and reaches one', async () => {
    const multicast = { groups: ['239.255.77.1'], interface: '127.0.0.1' };
    const { address } = await kit.listen(Echo, 'udp://0.0.0.0:0', { multicast });
    const asker = await kit.reactor.connect(Asker, `udp://239.255.77.1:${address.port}`, {
      multicast: { groups: [], interface: '127.0.0.1', loopback: true },
    });
    // The answer comes from a member, not from the group.
    await asker.heard.has(`hello from udp://127.0.0.1:${address.port}`);
  });

  describe('with socat', () => {
    if (!needsProgram('socat')) return;

    it('answers a client that was not written here', async () => {
      const { address } = await kit.listen(Echo, ANY);
      const socat = spawnProgram('socat', ['-', `UDP:127.0.0.1:${address.port}`]);
      socat.stdin.write('over there\n');
      expect(await socat.line()).to.equal('over there');
    });
  });
});

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
