import { expect } from 'chai';
import fc from 'fast-check';
import { ByteQueue } from '../../../src/framing/decoding/byte-queue.js';

const filled = (...chunks: (string | Buffer)[]): ByteQueue => {
  const queue = new ByteQueue();
  for (const chunk of chunks) queue.push(Buffer.from(chunk as Buffer));
  return queue;
};
/** As it comes from a socket: memory of its own, not a piece of Node's pool. */
const chunkOf = (size: number, fill = 'x'): Buffer => Buffer.from(new ArrayBuffer(size)).fill(fill);

/** Bytes of the memory that Node shares between small Buffers; it differs by version. */
const POOL_BYTES = Buffer.allocUnsafe(1).buffer.byteLength;

describe('a byte queue', () => {
  it('is, seen from outside, one buffer that grows behind and shrinks in front', () => {
    const sizes = fc.oneof(fc.nat(5), fc.constantFrom(511, 512, 513, 3000));
    const step = fc.oneof(
      fc.record({ does: fc.constant('push' as const), size: sizes }),
      fc.record({
        does: fc.constantFrom('take' as const, 'skip' as const, 'text' as const, 'find' as const, 'at' as const, 'piece' as const),
        size: fc.nat(),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const queue = new ByteQueue();
        let model = Buffer.alloc(0) as Buffer;
        let next = 0;
        for (const { does, size } of steps) {
          const count = model.length === 0 ? 0 : size % (model.length + 1);
          if (does === 'push') {
            const chunk = Buffer.from(Array.from({ length: size }, () => next++ % 7));
            model = Buffer.concat([model, chunk]);
            queue.push(chunk);
          } else if (does === 'take') {
            expect(queue.take(count)).to.deep.equal(model.subarray(0, count));
            model = model.subarray(count);
          } else if (does === 'skip') {
            queue.skip(count);
            model = model.subarray(count);
          } else if (does === 'text') {
            expect(queue.text(count, 'latin1')).to.equal(model.toString('latin1', 0, count));
            model = model.subarray(count);
          } else if (does === 'find') {
            const needle = Buffer.from([3, 4, 5].slice(0, 1 + (size % 3)));
            // What was searched for one delimiter is not searched again for another.
            queue.scanned = 0;
            expect(queue.find(needle)).to.equal(model.indexOf(needle));
          } else if (count < model.length) {
            if (does === 'at') expect(queue.at(count)).to.equal(model[count]);
            else {
              const piece = queue.piece(count);
              expect(piece.length).to.be.greaterThan(0);
              expect(piece).to.deep.equal(model.subarray(count, count + piece.length));
            }
          }
          expect(queue.length).to.equal(model.length);
        }
        expect(queue.drain()).to.deep.equal(model);
        expect(queue.length).to.equal(0);
      }),
      { numRuns: 500 },
    );
  });

  it('finds a delimiter across any number of chunks', () => {
    for (const stream of ['..--end--..', '--end--', '-----end--', '..--end-', '--e--en--end--']) {
      for (const size of [1, 2, 3, 5, 100]) {
        const queue = new ByteQueue();
        let found = -1;
        for (let at = 0; at < stream.length; at += size) {
          queue.push(Buffer.from(stream.slice(at, at + size)));
          if (found < 0) found = queue.find(Buffer.from('--end--'));
        }
        expect(found, `${stream} in ${size}`).to.equal(stream.indexOf('--end--'));
      }
    }
  });

  it('goes on searching where it stopped', () => {
    const queue = filled('abc');
    const newline = Buffer.from('\n');
    expect(queue.find(newline)).to.equal(-1);
    expect(queue.scanned).to.equal(3);
    queue.push(Buffer.from('d\ne\n'));
    expect(queue.find(newline)).to.equal(4);
    queue.skip(5);
    expect(queue.find(newline)).to.equal(1);
  });

  it('gives bytes away that share no memory with what is left', () => {
    const chunk = chunkOf(1000);
    const queue = filled();
    queue.push(chunk);
    const first = queue.take(100);
    const second = queue.take(100);
    first.fill('a');
    second.fill('b');
    expect(queue.drain().every(byte => byte === 0x78)).to.equal(true);
    expect(first.buffer).not.to.equal(chunk.buffer);
  });

  it('gives a chunk that is taken whole out as it came, without a copy', () => {
    const chunk = chunkOf(1000);
    const queue = filled();
    queue.push(chunk);
    expect(queue.take(1000)).to.equal(chunk);
  });

  it('copies also a whole chunk that is a small part of its memory', () => {
    const queue = filled();
    queue.push(chunkOf(256 * 1024).subarray(0, 1000));
    expect(queue.take(1000).buffer.byteLength).to.be.at.most(POOL_BYTES);
  });

  it('lets go of a large chunk when a little of it is left waiting', () => {
    const queue = new ByteQueue();
    queue.push(Buffer.concat([chunkOf(60_000), Buffer.from('\nhalf')]));
    queue.skip(60_001);
    expect(queue.find(Buffer.from('\n'))).to.equal(-1);
    expect(queue.head.buffer.byteLength).to.be.at.most(POOL_BYTES);
    expect(queue.drain().toString()).to.equal('half');
  });

  it('holds nothing when it is empty', () => {
    const queue = filled();
    queue.push(chunkOf(60_000));
    queue.skip(60_000);
    expect(queue.head.length).to.equal(0);
  });

  it('holds crumbs in little more memory than their bytes', () => {
    const queue = new ByteQueue();
    for (let i = 0; i < 50_000; i++) queue.push(chunkOf(1));
    const { blocks, bytes } = memoryOf(queue);
    expect(bytes).to.be.lessThan(2 * 50_000);
    expect(blocks).to.be.lessThan(50);
  });

  it('decodes characters that were split between chunks', () => {
    const bytes = Buffer.from('grüße 👋');
    const queue = filled(...Array.from(bytes, byte => Buffer.from([byte])));
    expect(queue.text(bytes.length, 'utf8')).to.equal('grüße 👋');
  });
});

/** The blocks of memory that the queue's chunks lie in. */
function memoryOf(queue: ByteQueue): { blocks: number; bytes: number } {
  const blocks = new Set<ArrayBufferLike>();
  for (let at = 0; at < queue.length;) {
    const piece = queue.piece(at);
    blocks.add(piece.buffer);
    at += piece.length;
  }
  return { blocks: blocks.size, bytes: [...blocks].reduce((sum, block) => sum + block.byteLength, 0) };
}
