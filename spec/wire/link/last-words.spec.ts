import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { lastBytes, lastWay, writeWhole } from '../../../src/wire/link/last-words.js';

describe('what a process says last', () => {
  const chunks = ['abc', '', 'de', 'fgh'].map(text => Buffer.from(text));

  it('is the end of what it wrote, wherever the kernel stopped', () => {
    for (let count = 0; count <= 8; count++)
      expect(Buffer.concat(lastBytes(chunks, count)).toString()).to.equal('abcdefgh'.slice(8 - count));
  });

  it('has no way past a stream that is neither a socket nor posts at once', () => {
    expect(lastWay(new PassThrough(), 1)).to.equal(undefined);
  });

  it('is written whole, and to nobody is no error', () => {
    const file = join(tmpdir(), `last-words-${process.pid}`);
    const fd = openSync(file, 'w');
    try {
      expect(writeWhole(fd, Buffer.alloc(1_000_000, 'x'))).to.equal(true);
      expect(readFileSync(file)).to.have.length(1_000_000);
    } finally {
      closeSync(fd);
      rmSync(file);
    }
    expect(writeWhole(fd, Buffer.from('x'))).to.equal(false);
  });
});
