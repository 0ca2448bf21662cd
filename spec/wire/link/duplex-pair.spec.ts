import { expect } from 'chai';
import { once } from 'node:events';
import { duplexPair } from '../../../src/wire/link/duplex-pair.js';
import { Kind } from '../../../src/wire/link/protocol.js';
import { pair } from '../links.js';

describe('a pair of streams in memory', () => {
  it('delivers copies, in order, in a later turn', async () => {
    const [left, right] = duplexPair();
    const received: string[] = [];
    right.on('data', (chunk: Buffer) => received.push(chunk.toString()));
    const bytes = Buffer.from('first');
    left.write(bytes);
    left.write(' second');
    expect(received).to.deep.equal([]);
    bytes.fill('x');
    left.end();
    await once(right, 'end');
    expect(received.join('')).to.equal('first second');
    right.destroy();
    left.destroy();
  });

  it('holds the writer back while nobody reads', async () => {
    const [left, right] = duplexPair();
    let taken = 0;
    while (left.writableLength < 100_000) left.write(Buffer.alloc(10_000), () => taken++);
    await new Promise(resolve => setImmediate(resolve));
    expect(taken).to.be.lessThan(10);
    right.resume();
    await once(left, 'drain');
    expect(left.writableLength).to.equal(0);
    left.destroy();
    right.destroy();
  });

  it('lets one side end while the other one goes on', async () => {
    const [left, right] = duplexPair();
    left.resume();
    left.end('bye');
    const heard: string[] = [];
    right.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    await once(right, 'end');
    right.end('you too');
    await once(left, 'end');
    expect(heard).to.deep.equal(['bye']);
  });

  it('reads an end when the other side is destroyed, and can write no more', async () => {
    const [left, right] = duplexPair();
    right.resume();
    left.destroy();
    await once(right, 'end');
    right.write('into the void');
    const [error] = (await once(right, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).to.equal('EPIPE');
  });

  it('passes what travels beside values as it is, each to the value that it belongs to', async () => {
    const { ours, theirs, us, them } = pair();
    const memories = [1, 2].map(size => new SharedArrayBuffer(size));
    expect(ours.sharesMemory).to.equal(true);
    for (const [index, memory] of memories.entries()) ours.sendValue(Kind.CALL, index, 0, [memory]);
    theirs.sendValue(Kind.REPLY, 1, 0, [memories[1]]);
    for (const memory of memories) expect(((await them.next())[3] as [unknown])[0]).to.equal(memory);
    expect(((await us.next())[3] as [unknown])[0]).to.equal(memories[1]);
    ours.destroy();
    await Promise.all([us.ended, them.ended]);
  });
});
