import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { schemeNamed, type Bound, type Transport, type TransportSink } from '../../../src/endpoints/endpoint.js';
import { WireClient } from '../clients/wire-client.js';
import { deferred } from '../signals.js';

/** A sink that echoes with back-pressure, and finishes when the other side does. */
class Echo implements TransportSink {
  readonly transport: Transport;
  readonly gone = deferred<Error | undefined>();
  constructor(transport: Transport) {
    this.transport = transport;
    transport.open(this);
  }
  data(chunk: Buffer): void {
    if (!this.transport.write([chunk])) this.transport.pause();
  }
  ended(): void {
    this.transport.end();
  }
  drained(): void {
    if (this.transport.bufferedBytes === 0) this.transport.resume();
  }
  closed(error?: Error): void {
    this.gone.resolve(error);
  }
}

/** A sink that does nothing by itself. */
class Silent extends Echo {
  override data(): void {}
  override ended(): void {}
  override drained(): void {}
}

/** What every stream endpoint keeps. `url` gives a fresh one to listen on, `options` those of both sides. */
export function streamConformance(name: string, url: () => string, options: () => Readonly<Record<string, unknown>> = () => ({})): void {
  describe(`${name} as a stream endpoint`, () => {
    let bound: Bound | undefined;
    const accepted: Transport[] = [];

    async function pair<T extends Echo>(Sink: new (transport: Transport) => T): Promise<{ client: WireClient; server: T }> {
      const arrived = deferred<T>();
      const accept = (transport: Transport): void => {
        accepted.push(transport);
        const ready = transport.handshake?.() ?? Promise.resolve();
        ready.then(() => arrived.resolve(new Sink(transport)), arrived.reject);
      };
      bound = await schemeNamed(name)!.listen!({ url: url(), options: options() }, { accept, failed: arrived.reject });
      const client = await WireClient.connect(bound.address.url, options());
      accepted.push(client.transport);
      return { client, server: await arrived.promise };
    }

    afterEach(async () => {
      for (const transport of accepted.splice(0)) transport.destroy();
      await bound?.close();
    });

    it('brings back 5 MB of random bytes as they were', async () => {
      const { client } = await pair(Echo);
      const bytes = randomBytes(5_000_000);
      for (let at = 0; at < bytes.length; at += 100_000) {
        if (!client.send(bytes.subarray(at, at + 100_000))) await client.whenDrained();
      }
      client.end();
      await client.readsAll();
      expect(client.length).to.equal(bytes.length);
      expect(client.bytes.equals(bytes)).to.equal(true);
    });

    it('keeps the order of strings and bytes in one write', async () => {
      const { client } = await pair(Echo);
      client.send('ä', Buffer.from([1, 2]), 'b', new Uint8Array([3]), '');
      client.end();
      await client.readsAll();
      expect(client.bytes).to.deep.equal(Buffer.concat([Buffer.from('ä'), Buffer.from([1, 2]), Buffer.from('b'), Buffer.from([3])]));
    });

    it('copies what is written: changing the bytes afterwards changes nothing', async () => {
      const { client } = await pair(Echo);
      const bytes = Buffer.from('before');
      client.send(bytes);
      await client.reads('before');
      bytes.fill('x');
      expect(client.text).to.equal('before');
    });

    it('half-closes: the other side can still answer', async () => {
      const { client, server } = await pair(Silent);
      const told = deferred();
      server.ended = told.resolve;
      client.end();
      await told.promise;
      server.transport.write(['answer']);
      server.transport.end();
      expect(await client.readsAll()).to.equal('answer');
      await client.whenClosed();
      expect(client.error).to.equal(undefined);
      expect(await server.gone.promise).to.equal(undefined);
    });

    it('tells of a close exactly once, with nothing after it', async () => {
      const { client, server } = await pair(Silent);
      let calls = 0;
      const gone = server.gone.promise;
      const { closed } = server;
      server.closed = error => {
        calls++;
        closed.call(server, error);
      };
      server.data = () => void (calls += 100);
      client.send('x');
      server.transport.destroy();
      server.transport.destroy();
      await gone;
      client.destroy();
      await client.whenClosed();
      expect(calls % 100).to.equal(1);
    });

    it('makes a writer wait while nobody reads, and tells when there is room again', async () => {
      const { client, server } = await pair(Echo);
      server.transport.pause();
      const chunk = Buffer.alloc(256 * 1024, 'x');
      let written = 0;
      while (client.send(chunk) && written < 1_000) written++;
      expect(written).to.be.lessThan(1_000);
      expect(client.transport.bufferedBytes).to.be.greaterThan(0);
      const before = client.transport.bytesWritten;
      server.data = () => {};
      server.transport.resume();
      await client.whenDrained();
      expect(client.transport.bufferedBytes).to.equal(0);
      expect(client.transport.bytesWritten).to.equal((written + 1) * chunk.length);
      expect(before).to.be.lessThan(client.transport.bytesWritten);
    });

    it('does not deliver while it is paused, and loses nothing', async () => {
      const { client, server } = await pair(Silent);
      const seen: string[] = [];
      server.data = (chunk?: Buffer) => {
        seen.push(String(chunk));
        if (seen.join('') === 'onetwo') all.resolve();
      };
      const all = deferred();
      server.transport.pause();
      client.send('one');
      client.send('two');
      await client.whenDrained();
      expect(seen).to.deep.equal([]);
      server.transport.resume();
      await all.promise;
    });

    it('says where both sides are', async () => {
      const { client, server } = await pair(Silent);
      expect(client.transport.remote.url).to.equal(bound!.address.url);
      expect(server.transport.local.url).to.equal(bound!.address.url);
      expect(client.transport.local).to.deep.equal(server.transport.remote);
    });

    it('frees its address when it is closed, and leaves open connections alone', async () => {
      const { client } = await pair(Echo);
      await bound!.close();
      await bound!.close();
      client.send('still here');
      await client.reads('still here');
      const again = await schemeNamed(name)!.listen!(
        { url: bound!.address.url, options: options() },
        { accept: () => {}, failed: () => {} },
      );
      await again.close();
    });

    it('refuses an address that is in use with a ListenError', async () => {
      await pair(Echo);
      const again = schemeNamed(name)!.listen!({ url: bound!.address.url, options: options() }, { accept: () => {}, failed: () => {} });
      const error = await again.then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      expect(error).to.have.property('name', 'ListenError');
    });

    it('refuses to connect where nobody listens, with a ConnectError', async () => {
      await pair(Echo);
      const { address } = bound!;
      await bound!.close();
      const error = await WireClient.connect(address.url, options()).catch((thrown: Error) => thrown);
      expect(error).to.include({ name: 'ConnectError', reason: 'refused', url: address.url });
    });

    it('does not dial with a signal that is aborted', async () => {
      await pair(Echo);
      const dial = schemeNamed(name)!.connect!({ url: bound!.address.url, options: options() }, AbortSignal.abort(new Error('enough')));
      const error = await dial.catch((thrown: Error) => thrown);
      expect(error).to.include({ name: 'ConnectError', reason: 'aborted' });
    });
  });
}
