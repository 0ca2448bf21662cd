import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import '../../../src/websocket/index.js';
import { Connection, OnClose, OnData, Peer, type CloseReason } from '../../../src/index.js';
import { lines } from '../../../src/framing/index.js';
import { Authority } from '../../kit/programs/certificates.js';
import { tcpClient, waitFor, type TcpClient } from '../../kit/index.js';
import { tlsClient } from '../../kit/clients/tls-client.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';

/** A frame of a client, with a mask of zeros. */
const frame = (opcode: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
const text = (message: string): Buffer => frame(1, Buffer.from(message));
const CLOSE = frame(8, Buffer.from([0x03, 0xe8]));
const CLOSED = Buffer.from([0x88, 2, 0x03, 0xe8]);

async function opening(client: TcpClient): Promise<TcpClient> {
  await client.send(
    'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  while ((await client.line()).trim() !== '');
  return client;
}

for (const scheme of ['ws', 'wss'] as const)
  describe(`a websocket that its peer closes, keeping its ${scheme}: connection open`, () => {
    let r: Rig;
    let authority: Authority | undefined;
    before(() => {
      if (scheme === 'wss') authority = new Authority();
    });
    after(() => authority?.[Symbol.dispose]());
    const clock = new FakeClock();
    const returned: string[] = [];
    const reasons: CloseReason[] = [];
    let release = (): void => {};
    beforeEach(() => {
      r = rig(clock);
      returned.length = reasons.length = 0;
    });
    afterEach(async () => {
      release();
      await r.close();
    });

    /** Waits for its next item for ever, and tells when it is let go of. */
    function waiting(name: string): AsyncIterableIterator<string> {
      return {
        next: () => new Promise(() => {}),
        return: () => {
          returned.push(name);
          return Promise.resolve({ done: true, value: undefined });
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    }

    async function* always(): AsyncGenerator<string> {
      try {
        for (;;) {
          yield 'again';
          await new Promise(resolve => setImmediate(resolve));
        }
      } finally {
        returned.push('always');
      }
    }

    @Connection({ framing: lines() })
    class Feed {
      constructor(readonly peer: Peer<string, string>) {}
      @OnData() answer(line: string): unknown {
        if (line === 'wait') return waiting('waiting');
        if (line === 'always') return always();
        if (line === 'web') return new ReadableStream({ cancel: () => void returned.push('web') });
        if (line === 'hang') return new Promise<void>(resolve => (release = resolve));
        return `re: ${line}`;
      }
      @OnClose() over(reason: CloseReason): void {
        reasons.push(reason);
      }
    }

    const opened = async (): Promise<TcpClient> => {
      const names = ['localhost', '127.0.0.1'] as const;
      const tls = authority?.issue(...names);
      const { address } = await r.listen(Feed, `${scheme}://127.0.0.1:0/`, tls && { tls });
      const { port } = address;
      return opening(await (authority ? tlsClient({ port, ca: authority.cert, servername: 'localhost' }) : tcpClient(port)));
    };

    for (const [request, name] of [
      ['wait', 'waiting'],
      ['always', 'always'],
      ['web', 'web'],
    ] as const)
      it(`is answered with its close frame, and an answer of many items is let go of: ${request}`, async () => {
        const client = await opened();
        await client.send(text(request));
        if (request === 'always') expect((await client.bytes(7)).toString('latin1')).to.equal('\x81\x05again');
        await client.send(CLOSE);
        await waitFor(() => returned[0]);
        expect(returned).to.deep.equal([name]);
        // Items may have come before; nothing follows the close frame.
        let last = await client.bytes(4);
        while (!last.equals(CLOSED)) last = Buffer.concat([last.subarray(1), await client.bytes(1)]);
        client.end();
        expect(await client.all({ within: '5s' })).to.equal('');
        expect(await waitFor(() => reasons[0])).to.deep.include({ by: 'peer', code: 'END' });
      });

    it('ends within halfCloseGrace although a handler hangs; what was due before is answered', async () => {
      const client = await opened();
      await client.send(Buffer.concat([text('one'), text('hang'), text('two'), CLOSE]));
      expect((await client.bytes(9)).toString('latin1')).to.equal('\x81\x07re: one');
      for (const step of [500, 2_000, 2_400]) await clock.advance(step);
      expect(client.socket.readableEnded).to.equal(false);
      for (const step of [200, 500]) await clock.advance(step);
      expect(await client.all({ within: '5s' })).to.not.include('two');
      release();
      expect(await waitFor(() => reasons[0])).to.deep.include({ by: 'peer' });
    });

    it('is sent no stream that a handler returns after that', async () => {
      const client = await opened();
      await client.send(Buffer.concat([text('one'), text('hang'), text('always'), text('wait'), CLOSE]));
      expect((await client.bytes(9)).toString('latin1')).to.equal('\x81\x07re: one');
      release();
      expect(await client.bytes(4)).to.deep.equal(CLOSED);
      client.end();
      expect(returned).to.include('waiting');
      expect(await waitFor(() => reasons[0])).to.deep.include({ by: 'peer' });
    });
  });
