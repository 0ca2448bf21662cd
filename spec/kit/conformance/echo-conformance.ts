import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { Transport } from '../../../src/endpoints/endpoint.js';
import { WireClient } from '../clients/wire-client.js';

/** What every transport of bytes keeps, seen from one end of it: `open` gives one whose other end sends everything back and ends when it is ended. */
export function echoConformance(name: string, open: () => Promise<Transport>): void {
  describe(`${name} as a transport to an echo`, function () {
    let transport: Transport;
    let client: WireClient;
    beforeEach(async () => {
      transport = await open();
      client = WireClient.of(transport);
    });
    afterEach(async () => {
      transport.destroy();
      await client.whenClosed();
    });

    it('brings back 5 MB of random bytes as they were, and the end', async () => {
      const bytes = randomBytes(5_000_000);
      for (let at = 0; at < bytes.length; at += 100_000) {
        if (!client.send(bytes.subarray(at, at + 100_000))) await client.whenDrained();
      }
      client.end();
      await client.readsAll();
      expect(client.bytes.equals(bytes)).to.equal(true);
      expect(client.transport.bytesWritten).to.equal(bytes.length);
    });

    it('keeps the order of strings and bytes in one write', async () => {
      client.send('ä', Buffer.from([1, 2]), 'b', new Uint8Array([3]), '');
      client.end();
      await client.readsAll();
      expect(client.bytes).to.deep.equal(Buffer.concat([Buffer.from('ä'), Buffer.from([1, 2]), Buffer.from('b'), Buffer.from([3])]));
    });

    it('makes a writer wait while nobody reads, and tells when there is room again', async () => {
      transport.pause();
      // More than pipes and the command itself take while nobody reads.
      const chunk = Buffer.alloc(4 * 1024 * 1024, 'x');
      let written = 1;
      while (client.send(chunk) && written < 1_000) written++;
      expect(written).to.be.lessThan(1_000);
      expect(transport.bufferedBytes).to.be.greaterThan(0);
      expect(transport.bytesWritten).to.be.lessThan(written * chunk.length);
      transport.resume();
      await client.whenDrained();
      await client.when(() => client.length === written * chunk.length, 'all of it');
      expect(transport.bytesWritten).to.equal(written * chunk.length);
    });

    it('tells of a close exactly once, with nothing after it', async () => {
      let calls = 0;
      const { closed } = client;
      client.closed = error => {
        calls++;
        closed.call(client, error);
      };
      client.send('x');
      client.data = () => void (calls += 100);
      transport.destroy();
      transport.destroy();
      await client.whenClosed();
      transport.write(['y']);
      transport.end();
      expect(calls).to.equal(1);
      expect(transport.bufferedBytes).to.equal(0);
    });
  });
}
