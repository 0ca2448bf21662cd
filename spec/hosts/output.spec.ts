import { expect } from 'chai';
import { PassThrough } from 'node:stream';
import { bytesInLog, MAX_LINE, OutputReader, restAfter } from '../../src/hosts/output.js';

/** What comes of these chunks. */
async function read(...chunks: readonly (string | Buffer)[]): Promise<{ lines: string[]; tail: string }> {
  const lines: string[] = [];
  const source = new PassThrough();
  let reader!: OutputReader;
  await new Promise<void>(resolve => {
    reader = new OutputReader(source, line => lines.push(line), resolve);
    reader.hurry();
    for (const chunk of chunks) source.write(chunk);
    source.end();
  });
  while (lines.length < chunks.join('').split('\n').length - 1) await new Promise(setImmediate);
  return { lines, tail: reader.tail() };
}

describe('the output of a worker', () => {
  it('comes out as lines, however it was cut', async () => {
    const bytes = Buffer.from('one\r\ntwo\n\ngrüße\nrest');
    for (let at = 0; at <= bytes.length; at++)
      expect((await read(bytes.subarray(0, at), bytes.subarray(at))).lines).to.deep.equal(['one', 'two', '', 'grüße', 'rest']);
  });

  it('has lines of at most 16 KB, never half a character', async () => {
    const { lines } = await read('x'.repeat(MAX_LINE - 1), 'ä', 'dropped', '\nnext\n');
    expect(lines).to.deep.equal(['x'.repeat(MAX_LINE - 1), 'next']);
  });

  it('is all given out in the end, also many lines of one chunk', async () => {
    const { lines } = await read(Array.from({ length: 5000 }, (_, i) => `${i}\n`).join(''));
    expect(lines).to.have.length(5000);
    expect(lines.at(-1)).to.equal('4999');
  });

  it('keeps its last 16 KB, also of lines that have not been given out', async () => {
    const { tail } = await read('a'.repeat(40_000), 'b'.repeat(10_000), `${'c'.repeat(9_000)}\n`);
    expect(tail).to.equal(`${'b'.repeat(16_384 - 9_001)}${'c'.repeat(9_000)}\n`);
  });

  it('is read at leisure again where somebody else goes on writing after the worker has ended', async () => {
    const source = new PassThrough();
    let lines = 0;
    const reader = new OutputReader(
      source,
      () => lines++,
      () => {},
    );
    reader.hurry();
    for (let i = 0; i < 500; i++) source.write('x\n');
    while (lines < 500) await new Promise(setImmediate);
    reader.calm();
    let pieces = 0;
    for (; !source.isPaused(); pieces++) {
      source.write('x\n');
      await new Promise(setImmediate);
    }
    expect(pieces).to.be.at.most(100);
    source.destroy();
  });

  it('takes about a third of the time, whatever a line costs its logger, and all of it once its writer has ended', async () => {
    const source = new PassThrough();
    const began = performance.now();
    let spent = 0;
    let lines = 0;
    const reader = new OutputReader(
      source,
      () => {
        const from = process.cpuUsage();
        for (let used = 0; used < 500; used = process.cpuUsage(from).user + process.cpuUsage(from).system);
        spent += 0.5;
        lines++;
      },
      () => {},
    );
    source.write('x\n'.repeat(400));
    while (lines < 300) await new Promise(setImmediate);
    expect(spent / (performance.now() - began), 'share of the time').to.be.below(0.5);
    reader.hurry();
    while (lines < 400) await new Promise(setImmediate);
    source.destroy();
  });

  it('makes 2 MB of log a second at most, lines of control characters included, and takes a third of the time', () => {
    expect(restAfter(4, 0)).to.equal(8);
    expect(restAfter(0, 2 * 1024 * 1024)).to.equal(1024);
    for (const line of ['', 'x'.repeat(MAX_LINE), '\u0001'.repeat(MAX_LINE), '\n\t\u001b[2J'])
      expect(bytesInLog(line)).to.be.at.least(JSON.stringify({ worker: 'w', stream: 'stdout', line }).length);
  });

  it('is paused however small the pieces are in which a flood comes, and whether its lines end', async () => {
    for (const piece of ['x\n', `${'x'.repeat(5000)}\n`, 'x'.repeat(2000)]) {
      const source = new PassThrough();
      let lines = 0;
      const reader = new OutputReader(
        source,
        () => lines++,
        () => {},
      );
      let pieces = 0;
      for (; !source.isPaused(); pieces++) {
        source.write(piece);
        await new Promise(setImmediate);
      }
      expect(pieces, 'pieces').to.be.at.most(100);
      expect(lines, 'lines').to.be.at.most(100);
      reader.hurry();
      source.end();
      await new Promise(resolve => source.once('close', resolve));
    }
  });

  it('is paused while more lines have come than a moment can take', async () => {
    const source = new PassThrough();
    const lines: string[] = [];
    const reader = new OutputReader(
      source,
      line => lines.push(line),
      () => {},
    );
    source.write('x\n'.repeat(1000));
    await new Promise(setImmediate);
    expect(lines).to.have.length(100);
    expect(source.isPaused()).to.equal(true);
    reader.hurry();
    source.end();
    while (lines.length < 1000) await new Promise(setImmediate);
  });
});
