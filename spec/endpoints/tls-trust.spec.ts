import type { ConnectionOptions } from 'node:tls';
import { expect } from 'chai';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnConnect, OnData } from '../../src/decorators/connection/connection-hooks.js';
import type { TlsOptions } from '../../src/decorators/connection/endpoint-types.js';
import { lines } from '../../src/framing/lines.js';
import { Peer, type Listening } from '../../src/reactor/index.js';
import { Authority } from '../kit/programs/certificates.js';
import { Events } from '../kit/events.js';
import { needsProgram, soon, spawnProgram } from '../kit/index.js';
import { rig, type Rig } from '../kit/reactor.js';
import { deferred, turns } from '../kit/signals.js';
import { tlsClient } from '../kit/clients/tls-client.js';

/** Says whom it takes its client for, then echoes. */
@Connection({ framing: lines() })
class Echo {
  constructor(readonly peer: Peer<string, string>) {}
  @OnConnect() connected() {
    const { servername = '-', certificate, authorized } = this.peer.tls!;
    const subject = (certificate as { subject: { CN: string } } | undefined)?.subject.CN ?? 'nobody';
    return `${servername} ${subject} ${authorized}`;
  }
  @OnData() data(line: string) {
    return line;
  }
}

describe('trust in tls:', () => {
  if (!needsProgram('openssl')) return;
  let ours: Authority;
  let theirs: Authority;
  let kit: Rig;
  before(() => {
    ours = new Authority('ours');
    theirs = new Authority('theirs');
  });
  after(() => {
    ours[Symbol.dispose]();
    theirs[Symbol.dispose]();
  });
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());

  const serve = (tls: TlsOptions = {}): Promise<Listening> =>
    kit.listen(Echo, 'tls://127.0.0.1:0', { tls: { ...ours.issue('127.0.0.1', 'a.example', 'b.example'), ...tls } });

  /** What the server says, and the session that could be resumed: undefined where there is none. */
  const visit = async (
    { address }: Listening,
    options: ConnectionOptions,
  ): Promise<{ said: string; reused: boolean; session: Buffer | undefined }> => {
    const client = await tlsClient({ port: address.port, ca: ours.cert, ...options });
    let session: Buffer | undefined;
    client.socket.on('session', (issued: Buffer) => (session = issued));
    const said = await client.line();
    // Whatever tickets there are have come before it.
    await client.send('again\n');
    expect(await client.line()).to.equal('again');
    const reused = client.socket.isSessionReused();
    // In version 1.2 it was issued with the handshake.
    if (client.socket.getProtocol() === 'TLSv1.2') session = client.socket.getSession();
    await client.destroy();
    return { said, reused, session };
  };

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    describe(`with ${maxVersion}`, () => {
      it('a client without a certificate is not taken for trusted when it comes back', async () => {
        const listening = await serve({ clientCert: 'request', ca: ours.cert });
        for (const identity of [{}, theirs.issue('stranger')]) {
          const first = await visit(listening, { maxVersion, ...identity });
          expect(first.said).to.match(/ false$/);
          expect((await visit(listening, { maxVersion, session: first.session })).said).to.equal('- nobody false');
        }
      });

      it('trust won under one name is not carried to another, where others are trusted', async () => {
        const sni = { 'b.example': { ...ours.issue('b.example'), ca: theirs.cert } };
        const listening = await serve({ clientCert: 'request', ca: ours.cert, sni });
        const first = await visit(listening, { maxVersion, servername: 'a.example', ...ours.issue('alice') });
        expect(first.said).to.equal('a.example alice true');
        const second = await visit(listening, { maxVersion, servername: 'b.example', session: first.session });
        expect(second).to.include({ said: 'b.example nobody false', reused: false });
        expect((await visit(listening, { maxVersion, servername: 'b.example', ...ours.issue('alice') })).said).to.equal(
          'b.example alice false',
        );
        expect((await visit(listening, { maxVersion, servername: 'b.example', ...theirs.issue('bob') })).said).to.equal(
          'b.example bob true',
        );
      });

      it('where nobody shows a certificate, sessions are resumed, which is cheaper', async () => {
        const listening = await serve();
        const { session } = await visit(listening, { maxVersion, servername: 'a.example' });
        expect(await visit(listening, { maxVersion, servername: 'a.example', session })).to.include({ reused: true });
      });
    });
  }

  it('a client that would begin anew in mid-stream is refused, and harms nobody', async () => {
    const listening = await serve();
    const client = spawnProgram('openssl', ['s_client', '-connect', `127.0.0.1:${listening.address.port}`, '-tls1_2']);
    await client.stdout.lineLike('nobody false');
    client.stdin.write('R\n');
    await client.stderr.lineLike('no renegotiation');
    await client.exited;
    expect((await visit(listening, {})).said).to.equal('- nobody false');
  });

  it('names are the same in capital letters; whatever a client calls for is no key of ours', async () => {
    const listening = await serve({ sni: { 'A.Example': ours.issue('a.example'), '*.B.example': ours.issue('*.b.example') } });
    const subject = async (servername: string): Promise<unknown> => {
      const client = await tlsClient({ port: listening.address.port, servername, ca: ours.cert, checkServerIdentity: () => undefined });
      return client.socket.getPeerCertificate().subject.CN;
    };
    expect(await subject('a.eXample')).to.equal('a.example');
    expect(await subject('X.B.EXAMPLE')).to.equal('*.b.example');
    for (const name of ['__proto__', 'toString', 'constructor.b', '*']) expect(await subject(name), name).to.equal('127.0.0.1');
  });

  describe('a resolver', () => {
    it('that throws, rejects, or gives what is no certificate ends that handshake alone', async () => {
      using rejected = new Events('listener.reject');
      const listening = await serve({
        sni: name => {
          if (name === 'throws.example') throw new TypeError('a bug');
          if (name === 'rejects.example') return Promise.reject(new Error('the database is down'));
          if (name === 'nothing.example') return Promise.reject();
          if (name === 'text.example') return 'not options' as TlsOptions;
          if (name === 'broken.example') return { cert: 'no PEM', key: 'no PEM' };
          return undefined;
        },
      });
      for (const name of ['throws', 'rejects', 'nothing', 'text', 'broken']) {
        const told = rejected.next();
        const client = tlsClient({ port: listening.address.port, servername: `${name}.example`, ca: ours.cert });
        expect(await client.catch((error: Error) => error.name), name).to.equal('Error');
        expect(await soon(told), name).to.include({ reason: 'handshake' });
      }
      expect((await visit(listening, { servername: 'a.example' })).said).to.equal('a.example nobody false');
    });

    it('that answers when its client is gone, or never, holds up nobody', async () => {
      const asked = deferred();
      const answer = deferred<TlsOptions>();
      using rejected = new Events('listener.reject');
      const listening = await serve({
        sni: name => {
          if (name !== 'slow.example') return undefined;
          asked.resolve();
          return answer.promise;
        },
      });
      const told = rejected.next();
      const slow = tlsClient({ port: listening.address.port, servername: 'slow.example', ca: ours.cert }).catch(() => 'gone');
      await soon(asked.promise);
      expect((await visit(listening, { servername: 'a.example' })).said).to.equal('a.example nobody false');
      await listening.close();
      expect(await soon(told)).to.include({ reason: 'closed' });
      expect(await soon(slow)).to.equal('gone');
      answer.resolve(ours.issue('slow.example'));
      await turns(20);
    });
  });
});
