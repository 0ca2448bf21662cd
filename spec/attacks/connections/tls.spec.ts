import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnClose, OnConnect, OnData } from '../../../src/decorators/connection/connection-hooks.js';
import type { CloseReason } from '../../../src/decorators/hook-types.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer, type Listening } from '../../../src/reactor/index.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { Authority, type Certificate } from '../../kit/programs/certificates.js';
import { Events } from '../../kit/events.js';
import { needsProgram, soon, tcpClient, waitFor, type TcpClient } from '../../kit/index.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { secured, tlsClient } from '../../kit/clients/tls-client.js';

const reasons: string[] = [];

/** Speaks TLS from the beginning, or when it is told to. */
@Connection({ framing: lines({ maxLength: '4mb' }) })
class Server {
  constructor(readonly peer: Peer<string, string>) {}
  @OnConnect() greet() {
    return 'welcome';
  }
  @OnData() async data(line: string) {
    if (line === 'much') return 'x'.repeat(4_000_000);
    if (line !== 'STARTTLS') return line;
    this.peer.send('go ahead');
    await this.peer.startTls();
    return undefined;
  }
  @OnClose() close({ by, code }: CloseReason) {
    reasons.push(`${by} ${code}`);
  }
}

/** What a client sends first. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ ...(server.address() as { port: number }), host: '127.0.0.1' }).on('error', () => {});
  const [socket] = await once(server, 'connection');
  const [hello] = await once(socket as NodeJS.EventEmitter, 'data');
  client.destroy();
  (socket as { destroy(): void }).destroy();
  server.close();
  return hello as Buffer;
}

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('TLS under attack', function () {
  if (!needsProgram('openssl')) return;
  let authority: Authority;
  let certificate: Certificate;
  let hello: Buffer;
  let kit: Rig;
  before(async () => {
    authority = new Authority();
    certificate = authority.issue('127.0.0.1');
    hello = await clientHello();
  });
  after(() => authority[Symbol.dispose]());
  beforeEach(() => {
    reasons.length = 0;
    kit = rig();
  });
  afterEach(() => kit.close());

  const serve = (scheme: 'tls' | 'tcp', options = {}): Promise<Listening> =>
    kit.listen(Server, `${scheme}://127.0.0.1:0`, { tls: certificate, ...options });
  const trusting = () => ({ ca: authority.cert, host: '127.0.0.1' });
  /** A client without any fault is served. */
  const serves = async (port: number, scheme: 'tls' | 'tcp' = 'tls'): Promise<void> => {
    const client = scheme === 'tls' ? await tlsClient({ port, ...trusting() }) : await tcpClient(port);
    expect(await client.line()).to.equal('welcome');
    await client.send('hello\n');
    expect(await client.line()).to.equal('hello');
    await client.destroy();
  };
  const upgraded = async (port: number): Promise<TcpClient> => {
    const client = await tcpClient(port);
    await client.send('STARTTLS\n');
    await client.lines(2);
    return secured(client, trusting());
  };

  it('200 handshakes that stop half-way hold their places until handshakeTimeout; who does not stop is served meanwhile', async () => {
    await kit.close();
    const clock = new FakeClock();
    kit = rig(clock);
    using rejected = new Events('listener.reject');
    const before = descriptors();
    const { address } = await serve('tls', { handshakeTimeout: '10s', maxConnections: 220 });
    const half = await Promise.all(Array.from({ length: 200 }, () => tcpClient(address.port)));
    await Promise.all(half.map((client, at) => client.send(at % 2 === 0 ? hello : hello.subarray(0, at))));
    for (let i = 0; i < 5; i++) await serves(address.port);
    expect(rejected.seen).to.deep.equal([]);
    await clock.advance('10s');
    await waitFor(() => rejected.seen.length === 200);
    expect(new Set(rejected.seen.map(({ reason }) => reason))).to.deep.equal(new Set(['handshakeTimeout']));
    await Promise.all(half.map(client => client.destroy()));
    await serves(address.port);
    await kit.close();
    await waitFor(() => descriptors() <= before, { what: () => `${descriptors()} descriptors to become ${before}` });
  });

  it('a plain client on a TLS port is hung up on, and told so by an alert', async () => {
    using rejected = new Events('listener.reject');
    const { address } = await serve('tls');
    for (const words of ['GET / HTTP/1.1\r\n\r\n', 'hello\n', '\0'.repeat(1_000), 'PROXY TCP4 1.2.3.4 1.2.3.4 1 1\r\n']) {
      const told = rejected.next();
      const client = await tcpClient(address.port);
      await client.send(words);
      expect(await soon(told)).to.include({ reason: 'handshake' });
      await client.all();
    }
    expect(kit.made).to.have.length(0);
    await serves(address.port);
  });

  it('a TLS client on a plain port gets nothing that it could take for TLS, and is gone in time', async () => {
    await kit.close();
    const clock = new FakeClock();
    kit = rig(clock);
    const { address } = await serve('tcp', { messageTimeout: '5s' });
    // What is sent to it is no TLS: it leaves by itself.
    const client = await tlsClient({ port: address.port, ...trusting() }).catch((error: Error) => error);
    expect(client)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/wrong version|SSL/);
    // And one that does not is a message that never ends.
    const patient = await tcpClient(address.port);
    await patient.line();
    await patient.send(hello.filter(byte => byte !== 10));
    await waitFor(() => kit.made.length === 2 && (kit.made[1] as Server).peer.bytesRead > 0);
    await clock.advance('5s');
    expect(await patient.all()).to.equal('');
    expect(reasons).to.include('timeout messageTimeout');
    await serves(address.port, 'tcp');
  });

  it('words behind STARTTLS are never taken for words inside of TLS, however they are cut', async () => {
    const { address } = await serve('tcp');
    const words = Buffer.concat([Buffer.from('STARTTLS\n'), Buffer.from('much\nINJECTED\n'), hello]);
    for (let at = 1; at < 30; at++) {
      const client = await tcpClient(address.port);
      await client.line();
      await client.send(words.subarray(0, at));
      client.socket.write(words.subarray(at));
      const answer = await client.all();
      expect(answer.replace(/^(?:go ahead\n)?/, ''), String(at)).not.to.match(/INJECTED|xxx/);
    }
    await waitFor(() => reasons.length === 29);
    for (const reason of reasons) expect(reason).to.match(/^(?:error ERR_PACKET_TLS(?:_INJECTION)?|peer ERR_PACKET_TLS)$/);
    const honest = await upgraded(address.port);
    await honest.send('hello\n');
    expect(await honest.line()).to.equal('hello');
  });

  describe('clients that die', () => {
    type Phase = (plain: TcpClient) => Promise<TcpClient>;
    const read = (client: TcpClient): Promise<unknown> => once(client.socket, 'data');
    const secure: Phase = plain => secured(plain, trusting());
    const ahead: Phase = async plain => {
      await plain.send('STARTTLS\n');
      await plain.lines(2);
      return plain;
    };
    const phases: Record<string, readonly ['tls' | 'tcp', Phase]> = {
      'before a word': ['tls', plain => Promise.resolve(plain)],
      'in the middle of their first word': ['tls', plain => plain.send(hello.subarray(0, 100)).then(() => plain)],
      'without waiting for an answer to it': ['tls', plain => plain.send(hello).then(() => plain)],
      'with the first answer': ['tls', plain => Promise.all([plain.send(hello), read(plain)]).then(() => plain)],
      'right behind the handshake': ['tls', secure],
      'in the middle of a message': [
        'tls',
        async plain => {
          const client = await secure(plain);
          client.socket.write('x'.repeat(1_000_000));
          return client;
        },
      ],
      'while much is sent to them': [
        'tls',
        async plain => {
          const client = await secure(plain);
          await client.send('much\n');
          await read(client);
          client.socket.pause();
          return client;
        },
      ],
      'with the word to go ahead': ['tcp', ahead],
      'in the handshake of STARTTLS': [
        'tcp',
        plain =>
          ahead(plain)
            .then(() => plain.send(hello))
            .then(() => plain),
      ],
      'right behind STARTTLS': ['tcp', plain => ahead(plain).then(secure)],
    };
    const deaths: Record<string, (plain: TcpClient, client: TcpClient) => unknown> = {
      'are reset': plain => plain.reset(),
      vanish: (_plain, client) => client.socket.destroy(),
      finish: (_plain, client) => client.end(),
    };

    for (const [when, [scheme, phase]] of Object.entries(phases)) {
      for (const [how, die] of Object.entries(deaths)) {
        it(`${when} and ${how} leave nothing behind, whoever they were`, async () => {
          const before = descriptors();
          // Node may lose the error of a reset when it had handshake data of its own to write: then it looks like a half-close.
          const { address } = await serve(scheme, { halfCloseGrace: '300ms' });
          const victims: TcpClient[] = [];
          const meet = async (): Promise<void> => {
            const plain = await tcpClient(address.port);
            victims.push(plain);
            die(plain, await phase(plain));
          };
          for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 10 }, meet));
          await serves(address.port, scheme);
          // Those that have finished, and read nothing, are not gone yet.
          for (const victim of victims) victim.socket.destroy();
          await waitFor(() => kit.reactor.connections().count === 0);
          expect(
            reasons.filter(reason => !/^(?:peer |timeout halfCloseGrace$|error ERR_PACKET_TLS$|error ERR_SSL)/.test(reason)),
          ).to.deep.equal([]);
          await kit.close();
          await waitFor(() => descriptors() <= before, { what: () => `${descriptors()} descriptors to become ${before}` });
        });
      }
    }
  });

  it('has no session that the key alone opens later: RSA key exchange is refused, under every name', async () => {
    const rsa = authority.issueRsa('127.0.0.1');
    const named = authority.issueRsa('named.test');
    const tls = { ...rsa, sni: { 'named.test': named } };
    const { address } = await kit.listen(Server, 'tls://127.0.0.1:0', { tls });
    for (const servername of ['', 'named.test']) {
      const suite = async (ciphers: string): Promise<string> => {
        const options = { port: address.port, ca: authority.cert, maxVersion: 'TLSv1.2', ciphers, servername } as const;
        const client = await tlsClient({ ...options, checkServerIdentity: () => undefined }).catch((error: Error) => error);
        if (client instanceof Error) return 'refused';
        const { name } = client.socket.getCipher();
        await client.destroy();
        return name;
      };
      expect(await suite('AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA'), servername).to.equal('refused');
      expect(await suite('ECDHE-RSA-AES128-GCM-SHA256'), servername).to.equal('ECDHE-RSA-AES128-GCM-SHA256');
    }
  });
});
