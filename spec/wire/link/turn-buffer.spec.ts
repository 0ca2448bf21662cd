import { expect } from 'chai';
import { SLAB_SIZE } from '../../../src/wire/bytes/sink.js';
import { REUSABLE } from '../../../src/wire/bytes/spare-memory.js';
import { HEADER_SIZE } from '../../../src/wire/link/frames.js';
import { Kind } from '../../../src/wire/link/protocol.js';
import { TurnBuffer, type BufferedChunk } from '../../../src/wire/link/turn-buffer.js';

const memoryOf = (chunks: readonly BufferedChunk[]): Set<ArrayBufferLike> => new Set(chunks.map(({ slab }) => slab.buf.buffer));

describe('the buffer of a turn', () => {
  it('counts what was not taken, and gives it once', () => {
    const turn = new TurnBuffer();
    turn.append(Kind.PING, 1, 0, undefined);
    turn.append(Kind.REPLY, 1, 0, Buffer.from('value'));
    const length = 2 * HEADER_SIZE + 5;
    expect(turn.length).to.equal(length);
    const chunks = turn.take();
    expect(chunks.map(({ bytes }) => bytes.length)).to.deep.equal([length]);
    expect([turn.length, turn.take().length]).to.deep.equal([0, 0]);
  });

  it('counts over several buffers, and gives them in order', () => {
    const turn = new TurnBuffer();
    for (let i = 0; i < 5; i++) turn.append(Kind.REPLY, i, 0, Buffer.alloc(30_000, i));
    expect(turn.length).to.equal(5 * (HEADER_SIZE + 30_000));
    const chunks = turn.take();
    expect(chunks.length).to.be.greaterThan(1);
    const all = Buffer.concat(chunks.map(({ bytes }) => bytes));
    expect(Array.from({ length: 5 }, (_, i) => all[i * (HEADER_SIZE + 30_000) + HEADER_SIZE])).to.deep.equal([0, 1, 2, 3, 4]);
    expect(turn.length).to.equal(0);
  });

  it('uses memory again that was released, and no memory that was not', () => {
    const turn = new TurnBuffer();
    const fill = (): BufferedChunk[] => {
      for (let i = 0; i < 4; i++) turn.append(Kind.REPLY, i, 0, Buffer.alloc(SLAB_SIZE / 2));
      return turn.take();
    };
    const first = fill();
    const second = fill();
    const shared = [...memoryOf(second)].filter(memory => memoryOf(first).has(memory));
    // The last buffer of a turn is filled further in the next.
    expect(shared.length).to.be.at.most(1);
    for (const { slab } of [...first, ...second]) turn.release(slab);
    const released = memoryOf([...first, ...second]);
    for (const memory of memoryOf(fill())) expect(released.has(memory)).to.equal(true);
  });

  it('begins at the front again when all of its buffer was released', () => {
    const turn = new TurnBuffer();
    turn.append(Kind.PING, 1, 0, undefined);
    const [chunk] = turn.take();
    turn.append(Kind.PING, 2, 0, undefined);
    turn.release(chunk!.slab);
    const [behind] = turn.take();
    expect(behind!.bytes.byteOffset, 'what was not taken stays').to.equal(chunk!.bytes.byteOffset + HEADER_SIZE);
    turn.release(behind!.slab);
    turn.append(Kind.PING, 3, 0, undefined);
    expect(turn.take()[0]!.bytes.byteOffset).to.equal(chunk!.bytes.byteOffset);
  });

  it('is as it was when a value cannot be encoded, and keeps no memory that grew for it', () => {
    const turn = new TurnBuffer();
    turn.append(Kind.PING, 1, 0, undefined);
    expect(() => turn.encode(['x'.repeat(3 * SLAB_SIZE), () => 0], 0, 'input')).to.throw('input[1]');
    expect(() => turn.encode(['x'.repeat(100)], 50, 'input')).to.throw('50');
    expect([turn.length, turn.encoder.buf.length]).to.deep.equal([HEADER_SIZE, SLAB_SIZE]);
    turn.append(Kind.PING, 2, 0, undefined);
    expect(Buffer.concat(turn.take().map(({ bytes }) => bytes)).length).to.equal(2 * HEADER_SIZE);
  });

  it('lends a large value without copying it, and a small one as a copy', () => {
    const turn = new TurnBuffer();
    const length = turn.encode(Buffer.alloc(2 * SLAB_SIZE, 1), 0, 'input');
    const large = turn.detach();
    expect([large.length, turn.length, turn.encoder.buf.length]).to.deep.equal([length, 0, SLAB_SIZE]);
    turn.encode('small', 0, 'input');
    const small = turn.detach();
    expect(small.buffer).to.not.equal(turn.encoder.buf.buffer);
    expect(turn.length).to.equal(0);
  });

  it('uses the memory of a large value again, once that was given back', () => {
    const turn = new TurnBuffer();
    const detached = (): Uint8Array => {
      turn.encode(Buffer.alloc(2 * REUSABLE, 1), 0, 'input');
      return turn.detach();
    };
    const first = detached();
    const second = detached();
    expect(second.buffer).to.not.equal(first.buffer);
    turn.reuse(first);
    expect(detached().buffer).to.equal(first.buffer);
    expect(detached().buffer).to.not.equal(first.buffer);
  });
});
