import { expect } from 'chai';
import type { EventEmitter } from 'node:events';
import * as ws from 'ws';
import { dataFrames } from '../../src/websocket/data-frames.js';

// What `ws` has, and its types do not tell.
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => EventEmitter & { write(bytes: Buffer): void } };

/** What a client makes of these bytes. */
function received(bytes: Buffer): (string | Buffer)[] {
  const messages: (string | Buffer)[] = [];
  const receiver = new Receiver({ isServer: false });
  receiver.on('message', (data: Buffer, isBinary: boolean) => messages.push(isBinary ? data : data.toString()));
  receiver.on('error', error => {
    throw error;
  });
  receiver.write(bytes);
  return messages;
}

const SIZES = [0, 1, 125, 126, 127, 4095, 4096, 4097, 65_535, 65_536, 70_000];

describe('what a websocket server sends', () => {
  for (const size of SIZES)
    it(`is understood by a client: ${size} bytes of text, and as many that are none`, () => {
      const text = 'x'.repeat(size);
      const bytes = Buffer.alloc(size, 0xfe);
      expect(received(Buffer.concat(dataFrames([text])))).to.deep.equal([text]);
      expect(received(Buffer.concat(dataFrames([bytes])))).to.deep.equal([bytes]);
    });

  it('keeps the order of short and long messages, of text and bytes', () => {
    const messages = [...SIZES, ...[...SIZES].reverse()].flatMap(size => ['y'.repeat(size), Buffer.alloc(size, 3), 'ß'.repeat(size)]);
    expect(received(Buffer.concat(dataFrames(messages)))).to.deep.equal(messages);
  });

  it('counts bytes of text, not characters', () => {
    const texts = ['ü'.repeat(63), '漢'.repeat(42), '漢'.repeat(21_846), '😀', '\ud800 alone'];
    expect(received(Buffer.concat(dataFrames(texts)))).to.deep.equal([...texts.slice(0, 4), '\ufffd alone']);
  });

  it('lies in one piece for short messages, and leaves a long one where it is', () => {
    expect(dataFrames(Array.from({ length: 100 }, (_, i) => `message ${i}`))).to.have.length(1);
    const long = Buffer.alloc(100_000);
    const frames = dataFrames(['short', long, 'short']);
    expect(frames).to.have.length(3);
    expect(frames[1]!.buffer).to.equal(long.buffer);
  });
});
