import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nkeys } from '@nats-io/transport-node';
import { bootstrap, MeshError, serveWorkers, UsageError } from '../../src/index.js';
import { nats, type NatsOptions } from '../../src/nats/index.js';
import { Authority } from '../kit/programs/certificates.js';
import { atEnd, natsServer, needsProgram, waitFor, type NatsServer } from '../kit/index.js';
import { rejection } from '../workers/support/rig.js';
import { Operator } from './support/jwt.js';
import { Caller, CallsModule } from './support/module.js';

const quiet = { logger: false, signals: false } as const;

/** Two clients with the same proof of identity: the message that one got from the other. */
async function carried(options: NatsOptions): Promise<string> {
  const [receiver, sender] = [await nats(options).connect(), await nats(options).connect()];
  atEnd(() => Promise.all([receiver.close(), sender.close()]));
  const subject = `${receiver.namespace}.spec`;
  let deliver!: (text: string) => void;
  const message = new Promise<string>(resolve => (deliver = resolve));
  await receiver.subscribe(subject, ({ data }) => deliver(Buffer.from(data).toString()));
  sender.publish(subject, Buffer.from('heard'));
  return message;
}

/** A host and a caller with the same proof of identity: the answer of one call. */
async function called(options: NatsOptions): Promise<unknown> {
  const mesh = nats(options);
  const host = await serveWorkers(CallsModule, { mesh, workers: ['mesh_calls'], name: 'host', ...quiet });
  atEnd(() => host.close());
  return (await caller(options)).echo('heard');
}

async function caller(options: NatsOptions): Promise<Caller['calls']> {
  const app = await bootstrap(CallsModule, { mesh: nats(options), placement: { mesh_calls: 'remote' }, ...quiet });
  atEnd(() => app.close({ timeout: 100 }));
  return app.get(Caller).calls;
}

/** How often an event was published. */
function heard(event: 'mesh.up'): { readonly count: number } {
  const told = { count: 0 };
  const count = (): number => told.count++;
  subscribe(`packet-ts:${event}`, count);
  atEnd(() => unsubscribe(`packet-ts:${event}`, count));
  return told;
}

async function refusal(options: NatsOptions): Promise<MeshError> {
  const error = await rejection(caller(options));
  expect(error).to.be.instanceOf(MeshError);
  return error as unknown as MeshError;
}

describe('how a client and a server of NATS trust each other', function () {
  this.timeout(90_000);
  if (!needsProgram('nats-server', 'openssl')) return;

  describe('by certificates', () => {
    let authority: Authority;
    let server: NatsServer;
    let mutual: NatsServer;

    const files = (name: string, text: string): string => {
      const file = join(authority.folder, name);
      writeFileSync(file, text);
      return file;
    };

    before(async () => {
      authority = new Authority();
      const { cert, key } = authority.issue('127.0.0.1', 'localhost');
      const lines = `cert_file: "${files('server.pem', cert)}", key_file: "${files('server.key', key)}", ca_file: "${files('authority.pem', authority.cert)}"`;
      server = await natsServer({ config: `tls { ${lines} }` });
      mutual = await natsServer({ config: `tls { ${lines}, verify: true }` });
    });

    after(() => authority[Symbol.dispose]());

    it('carries calls over TLS', async () => {
      expect(await called({ servers: server.url, tls: { ca: authority.cert } })).to.equal('heard');
    });

    it('takes its files again at each connect', async () => {
      const ca = pathToFileURL(files('own-authority.pem', authority.cert));
      expect(await carried({ servers: server.url, tls: { ca } })).to.equal('heard');
    });

    it('does not boot with a server whose certificate another authority has signed, and says so', async () => {
      using other = new Authority('another authority');
      for (const tls of [{ ca: other.cert }, true, undefined] as const) {
        const error = await refusal({ servers: server.url, tls });
        expect(error.reason).to.equal('refused');
        expect(error.message).to.match(/certificate/);
      }
    });

    it('does not boot with a server that has a certificate of another name', async () => {
      const { cert, key } = authority.issue('elsewhere.example');
      const elsewhere = await natsServer({ config: `tls { cert_file: "${files('b.pem', cert)}", key_file: "${files('b.key', key)}" }` });
      const error = await refusal({ servers: elsewhere.url, tls: { ca: authority.cert } });
      expect(error.reason).to.equal('refused');
      expect(error.message).to.include('elsewhere.example');
    });

    it('does not talk in the clear with a server that has no TLS', async () => {
      const plain = await natsServer();
      const error = await refusal({ servers: plain.url, tls: { ca: authority.cert } });
      expect(error.reason).to.equal('refused');
      expect(error.message).to.include('tls');
    });

    it('shows its own certificate to a server that asks for one', async () => {
      const { cert, key } = authority.issue('web');
      expect(await carried({ servers: mutual.url, tls: { ca: authority.cert, cert, key } })).to.equal('heard');
    });

    it('is refused by such a server without one, or with one of another authority', async () => {
      using other = new Authority('another authority');
      const without = await refusal({ servers: mutual.url, tls: { ca: authority.cert } });
      expect(without.reason).to.equal('refused');
      expect(without.message).to.include('asks for a certificate');
      const { cert, key } = other.issue('web');
      expect((await refusal({ servers: mutual.url, tls: { ca: authority.cert, cert, key } })).reason).to.equal('refused');
    });

    it('says which file it cannot read, or makes no sense', async () => {
      const missing = new URL('file:///nowhere/ca.pem');
      expect((await refusal({ servers: server.url, tls: { ca: missing } })).message)
        .to.include('tls.ca')
        .and.to.include('/nowhere/ca.pem');
      expect((await refusal({ servers: server.url, tls: { ca: 'nonsense' } })).message)
        .to.include('tls.ca')
        .and.to.include('no PEM');
      expect(() => nats({ tls: { rejectUnauthorized: false } as never })).to.throw(UsageError);
    });
  });

  describe('by credentials', () => {
    let operator: Operator;
    let server: NatsServer;

    before(async () => {
      operator = new Operator();
      server = await natsServer({ config: operator.config });
    });

    it('carries calls of users that an account has signed', async () => {
      expect(await called({ servers: server.url, credentials: operator.credentials('shop') })).to.equal('heard');
    });

    it('reads a file of credentials again when it connects again', async () => {
      using authority = new Authority();
      const file = join(authority.folder, 'shop.creds');
      const [first, second] = [new Operator(), new Operator()];
      writeFileSync(file, first.credentials('shop'));
      const before = await natsServer({ config: first.config });
      const options = { servers: before.url, credentials: pathToFileURL(file) };
      const host = await serveWorkers(CallsModule, { mesh: nats(options), workers: ['mesh_calls'], name: 'host', ...quiet });
      atEnd(() => host.close());
      const calls = await caller(options);
      expect(await calls.echo(1)).to.equal(1);
      const ups = heard('mesh.up');
      await before.kill();
      writeFileSync(file, second.credentials('shop'));
      // Another operator: what the first one signed is refused.
      await natsServer({ config: second.config, port: before.port });
      await waitFor(() => ups.count > 0, { within: '15s', what: 'a connection with the second file' });
      expect(await calls.echo(2)).to.equal(2);
    });

    it('does not boot with those of another operator, with none, or with what is no such file', async () => {
      for (const credentials of [new Operator().credentials('shop'), undefined]) {
        const error = await refusal({ servers: server.url, credentials });
        expect(error.reason).to.equal('refused');
        expect(error.message).to.include('does not accept this client');
      }
      const error = await refusal({ servers: server.url, credentials: 'nonsense' });
      expect(error.message).to.include('credentials cannot be used');
    });
  });

  describe('by keys and passwords', () => {
    it('takes an nkey, and refuses what is none', async () => {
      const user = nkeys.createUser();
      const server = await natsServer({ config: `authorization { users = [ { nkey: ${user.getPublicKey()} } ] }` });
      const seed = Buffer.from(user.getSeed()).toString();
      expect(await carried({ servers: server.url, nkey: `${seed}\n` })).to.equal('heard');
      expect((await refusal({ servers: server.url, nkey: 'SUNONSENSE' })).message).to.include('nkey cannot be used');
      expect((await refusal({ servers: server.url })).reason).to.equal('refused');
    });

    it('takes the name and password of a url, and tells them to nobody', async () => {
      const server = await natsServer({ config: 'authorization { user: shop, password: "s3cret/word" }' });
      const url = (password: string): string => server.url.replace('//', `//shop:${encodeURIComponent(password)}@`);
      expect(await carried({ servers: url('s3cret/word') })).to.equal('heard');
      const error = await refusal({ servers: url('other word') });
      expect(error.reason).to.equal('refused');
      expect(error.message).to.not.include('other');
    });
  });
});
