import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'chai';
import '../../src/websocket/index.js';
import { Connection, OnClose, OnData, OnError, Peer, type CloseReason } from '../../src/index.js';
import { lines } from '../../src/framing/index.js';
import { soon, tcpClient, waitFor, type TcpClient } from '../kit/index.js';
import { rig, type Rig } from '../kit/reactor.js';

/** Bytes: more than a kernel takes. */
const MUCH = 6_000_000;

/** A frame of a client, with a mask of zeros. */
function frame(opcode: number, payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload as string);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}
const text = (message: string): Buffer => frame(1, message);
const close = (code: number): Buffer => frame(8, Buffer.from([code >> 8, code & 0xff]));

/** A client that writes frames itself, behind the server's answer to its request. */
async function rawClient(port: number): Promise<TcpClient> {
  const client = await tcpClient(port);
  const key = randomBytes(16).toString('base64');
  await client.send(
    `GET /here HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  while ((await client.line()).trim() !== '');
  return client;
}

describe('what a websocket server says last', () => {
  let r: Rig;
  beforeEach(() => (r = rig()));
  afterEach(() => r.close());

  const reasons: CloseReason[] = [];
  const errors: Error[] = [];
  let peer: Peer<string, string> | undefined;
  @Connection({ framing: lines({ maxLength: '8mb' }), maxBufferedBytes: '16mb', highWaterMark: '8mb' })
  class Answers {
    constructor(mine: Peer<string, string>) {
      peer = mine;
    }
    @OnData() answer(line: string): unknown {
      if (line === 'much') return 'x'.repeat(MUCH);
      if (line === 'end') return peer!.end('bye');
      if (line === 'fail') throw new Error('by the handler');
      return line === 'later' ? new Promise(resolve => setImmediate(resolve, 're: later')) : `re: ${line}`;
    }
    @OnError() explain(error: Error) {
      errors.push(error);
      return `sorry: ${error.message}`;
    }
    @OnClose() over(reason: CloseReason) {
      reasons.push(reason);
    }
  }
  beforeEach(() => {
    reasons.splice(0);
    errors.splice(0);
    peer = undefined;
  });

  const opened = async (): Promise<TcpClient> => rawClient((await r.listen(Answers, 'ws://127.0.0.1:0/here')).address.port);
  const reason = (): Promise<CloseReason> => waitFor(() => reasons[0]);

  it('is what waits for the kernel, whole, where the peer has finished without a close frame and something is said behind it', async () => {
    const client = await opened();
    client.socket.pause();
    const finished = once(client.socket, 'finish');
    client.end(text('much'));
    await waitFor(() => peer?.signal.aborted === false && peer.bufferedBytes > 0);
    await soon(finished);
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => void setImmediate(resolve));
    peer!.send('too late');
    client.socket.resume();
    const all = await client.all({ within: '5s' });
    expect(all).to.have.length.greaterThanOrEqual(MUCH);
    expect(await reason()).not.to.include({ by: 'error' });
    expect(errors).to.deep.equal([]);
  });

  const latin = (bytes: Buffer): string => bytes.toString('latin1');
  const said = (message: string): string => latin(Buffer.concat([Buffer.from([0x81, message.length]), Buffer.from(message)]));
  const closed = (code: number): string => latin(Buffer.from([0x88, 2, code >> 8, code & 0xff]));

  for (const [what, frames, answer] of [
    ['a close frame', [text('one'), text('two'), close(3001)], [said('re: one'), said('re: two'), closed(3001)]],
    [
      'a close frame, where one answer takes a while',
      [text('one'), text('later'), text('two'), close(3001)],
      [said('re: one'), said('re: later'), said('re: two'), closed(3001)],
    ],
    [
      'what is no frame',
      [text('one'), frame(3, '')],
      [said('re: one'), said('sorry: the peer breaks the websocket protocol: Invalid WebSocket frame: invalid opcode 3'), closed(1002)],
    ],
    ['its own end', [text('one'), text('end'), text('two')], [said('re: one'), said('bye'), closed(1000)]],
    [
      'a failure that is explained',
      [text('one'), text('fail'), text('two')],
      [said('re: one'), said('sorry: by the handler'), said('re: two')],
    ],
  ] as const)
    it(`is all that is due, in order, where messages come in one piece with ${what}`, async () => {
      const client = await opened();
      await client.send(Buffer.concat(frames));
      const expected = answer.join('');
      const got = latin(await client.bytes(Buffer.byteLength(expected, 'latin1')));
      expect(got).to.equal(expected);
    });

  it('is not what comes too late for a peer that has closed and left, and that is no error', async () => {
    for (const messages of [['one'], ['one', 'later'], ['later'], ['later', 'later']]) {
      reasons.splice(0);
      const client = await opened();
      client.end(Buffer.concat([...messages.map(text), close(3001)]));
      expect(await reason()).to.deep.include({ by: 'peer', code: 'END' });
      expect(errors).to.deep.equal([]);
    }
  });
});
