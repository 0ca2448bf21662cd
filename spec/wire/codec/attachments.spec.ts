import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { ProtocolError } from '../../../src/errors.js';
import { transfer } from '../../../src/transfer.js';
import { hasAttachments, isSpent, takeAttachments } from '../../../src/wire/codec/attachments.js';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';
import { Tag } from '../../../src/wire/codec/tags.js';
import { duplexPair } from '../../../src/wire/link/duplex-pair.js';
import { openLink } from '../../../src/wire/link/link.js';
import { atEnd } from '../../kit/index.js';

const nothing = (): void => {};

describe('what travels beside a value', () => {
  it('is kept with its encoding until it is sent, and only what is shared afterwards', () => {
    const moved = encodeValue({ memory: transfer(new ArrayBuffer(4)) }, 0, 'input', true);
    expect(hasAttachments(moved)).to.equal(true);
    expect(isSpent(moved)).to.equal(false);
    expect(takeAttachments(moved)).to.have.length(1);
    expect(isSpent(moved)).to.equal(true);
    const shared = encodeValue([new SharedArrayBuffer(4)], 0, 'input', true);
    takeAttachments(shared);
    expect(isSpent(shared)).to.equal(false);
  });

  it('is decoded with references to it intact', () => {
    const memory = transfer(new Uint8Array([1, 2, 3]));
    const { a, b, again } = decodeValue(encodeValue({ a: memory, b: memory.buffer, again: memory }, 0, 'input', true)) as {
      a: Uint8Array;
      b: ArrayBuffer;
      again: Uint8Array;
    };
    expect([...a]).to.deep.equal([1, 2, 3]);
    expect(a.buffer).to.equal(b);
    expect(again).to.equal(a);
  });

  it('is refused where it did not come, or is no memory', () => {
    for (const bytes of [
      [Tag.ATTACHED, 1, 0, 0, 0, Tag.ATTACHMENT, 0, 0, 0, 0],
      [Tag.ATTACHMENT, 0, 0, 0, 0],
      [Tag.ATTACHED_VIEW, 2, 0, 0, 0, 0, ...Buffer.alloc(16)],
      [Tag.ATTACHED],
    ])
      expect(() => decodeValue(Buffer.from(bytes))).to.throw(ProtocolError);
  });

  it('goes with a message that nothing reads', async () => {
    const [left, right] = duplexPair();
    const sending = openLink(left, { onMessage: nothing, onClosed: nothing }, { maxMessageSize: 0 });
    const seen: number[] = [];
    const heard = new Promise<void>(resolve => {
      const receiver = { onMessage: (kind: number) => void (seen.push(kind) === 2 && resolve()), onClosed: nothing };
      const receiving = openLink(right, receiver, { maxMessageSize: 0 });
      atEnd(() => receiving.destroy());
    });
    atEnd(() => sending.destroy());
    sending.sendValue(1, 1, 0, [new SharedArrayBuffer(1)]);
    sending.sendEncoded(2, 2, 0, encodeValue(transfer(new ArrayBuffer(1)), 0, 'input', true));
    await heard;
    const lists = right as unknown as { attached(list: number): unknown };
    expect([lists.attached(1), lists.attached(2)]).to.deep.equal([undefined, undefined]);
  });

  it('is forgotten where it was copied: the next time it is not moved either', () => {
    const memory = transfer(new Uint8Array([1, 2, 3]));
    expect(hasAttachments(encodeValue(memory))).to.equal(false);
    expect(hasAttachments(encodeValue(memory, 0, 'input', true))).to.equal(false);
  });
});
