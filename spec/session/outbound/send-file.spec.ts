import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnData, OnError } from '../../../src/decorators/connection/connection-hooks.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer } from '../../../src/reactor/index.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { turns } from '../../kit/signals.js';
import { WireClient } from '../../kit/clients/wire-client.js';

describe('sendFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'packet-'));
  const path = join(folder, 'file');
  const content = randomBytes(1_000_000);
  let kit: Rig;
  before(() => writeFileSync(path, content));
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => (kit = rig()));
  afterEach(() => kit.close());

  @Connection({ framing: lines() })
  class Files {
    constructor(readonly peer: Peer) {}
    @OnData() async data(line: string) {
      if (line === 'end') {
        void this.peer.sendFile(path);
        this.peer.send('behind');
        this.peer.end('last');
        return undefined;
      }
      if (line.startsWith('crowd')) {
        void this.peer.sendFile(path);
        this.peer.send('x'.repeat(Number(line.slice(6)) - 1));
        this.peer.end(`congested ${this.peer.congested}`);
        return undefined;
      }
      const [start, length] = line.split(' ').map(Number);
      const sent = await this.peer.sendFile(line === 'missing' ? join(folder, 'missing') : pathToFileURL(path), {
        start: line === 'missing' ? 0 : start,
        ...(length === undefined ? {} : { length }),
      });
      return `\n${sent}`.replace('\n', ' ');
    }
    @OnError() error(error: Error & { code?: string }) {
      return error.code ?? error.name;
    }
  }
  const dial = async (where?: 'tcp://127.0.0.1:0'): Promise<WireClient> =>
    WireClient.connect((await kit.listen(Files, where, { firstMessageTimeout: 0 })).address.url);

  for (const where of [undefined, 'tcp://127.0.0.1:0'] as const) {
    it(`sends a whole file and parts of it, byte by byte, and tells how many (${where ? 'tcp' : 'memory'})`, async () => {
      const client = await dial(where);
      client.send('0\n10 20\n999990\n');
      const parts = [content, ' 1000000\n', content.subarray(10, 30), ' 20\n', content.subarray(-10), ' 10\n'];
      const expected = Buffer.concat(parts.map(part => Buffer.from(part as string)));
      await client.when(() => client.length >= expected.length);
      expect(client.bytes.equals(expected)).to.equal(true);
    });
  }

  it('is read only as fast as the peer reads', async () => {
    const client = await dial();
    client.send('0\n');
    await client.when(() => client.length > 0);
    client.transport.pause();
    await turns(50);
    const { peer } = kit.made[0] as Files;
    expect(peer.bufferedBytes).to.be.lessThan(300_000);
    client.transport.resume();
    await client.reads(' 1000000\n');
  });

  it('much that is sent meanwhile does not hold it up, and waits itself: congested, until there is room', async () => {
    for (const where of [undefined, 'tcp://127.0.0.1:0'] as const) {
      for (const size of [40_000, 70_000, 400_000]) {
        const client = await dial(where);
        client.transport.pause();
        client.send(`crowd ${size}\n`);
        while (kit.made.length === 0) await turns(1);
        await turns(20);
        client.transport.resume();
        await client.readsAll();
        kit.made.length = 0;
        expect(client.length, `${where} ${size}`).to.equal(content.length + size + `congested ${size > 65_536}\n`.length);
      }
    }
  });

  it('what is sent meanwhile follows it, and end() waits for it', async () => {
    const client = await dial();
    client.send('end\n');
    await client.readsAll();
    expect(client.length).to.equal(content.length + 'behind\nlast\n'.length);
    expect(client.bytes.subarray(0, content.length).equals(content)).to.equal(true);
    expect(client.text.endsWith('behind\nlast\n')).to.equal(true);
  });

  it('rejects with what the file system says; the connection lives', async () => {
    const client = await dial();
    client.send('missing\n0 -1\n0 3\n');
    await client.reads('ENOENT\nERR_PACKET_USAGE\n');
    await client.reads(' 3\n');
  });

  it('rejects when the file is shorter than the length that was asked for: it may have been announced', async () => {
    const client = await dial();
    client.send('999990 20\n');
    await client.when(() => client.text.includes('ERR_PACKET_USAGE'));
    client.send('1000000 1\n');
    await client.when(() => client.text.split('ERR_PACKET_USAGE').length === 3);
  });

  it('rejects when the peer leaves', async () => {
    const client = await dial();
    client.transport.pause();
    await turns();
    const sending = (kit.made[0] as Files).peer.sendFile(path).catch((error: Error) => error);
    await turns();
    client.destroy();
    expect(await sending).to.have.property('name', 'ConnectionClosedError');
  });
});
