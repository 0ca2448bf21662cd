import { expect } from 'chai';
import * as fc from 'fast-check';
import { ProtocolError } from '../../../src/errors.js';
import { OWN_LIMITS } from '../../../src/wire/link/protocol.js';
import { FrameReader, HEADER_SIZE, LARGE, PIECE, PIECE_SIZE, writeHeader } from '../../../src/wire/link/frames.js';

type Frame = readonly [kind: number, id: number, arg: number, value: string];

function frame(kind: number, id: number, arg: number, value: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(value);
  const header = Buffer.alloc(HEADER_SIZE);
  writeHeader(header, 0, bytes.length, kind, id, arg);
  return Buffer.concat([header, bytes]);
}

function announced(kind: number, total: number): Buffer {
  const value = Buffer.alloc(5);
  value[0] = kind;
  value.writeUInt32LE(total, 1);
  return value;
}

function reader(limit = 0): { frames: Frame[]; read: FrameReader } {
  const frames: Frame[] = [];
  return {
    frames,
    read: new FrameReader(limit, (kind, id, arg, buf, start, end) => frames.push([kind, id, arg, buf.toString('latin1', start, end)])),
  };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map(place => place % bytes.length))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end)).filter(chunk => chunk.length > 0);
}

describe('the frames of a link', () => {
  const large = 'large value '.repeat(15_000);
  const stream = Buffer.concat([
    frame(1, 0xffff_ffff, 0x8000_0001, 'first'),
    frame(2, 2, 0),
    frame(LARGE, 7, 8, announced(5, large.length)),
    frame(PIECE, 0, 0, large.slice(0, PIECE_SIZE)),
    frame(3, 3, 0, 'between'),
    frame(PIECE, 0, 0, large.slice(PIECE_SIZE, PIECE_SIZE + 1)),
    frame(PIECE, 0, 0, large.slice(PIECE_SIZE + 1, 2 * PIECE_SIZE)),
    frame(4, 4, 0, 'x'.repeat(PIECE_SIZE)),
    frame(PIECE, 0, 0, large.slice(2 * PIECE_SIZE)),
    frame(6, 6, 6, 'last'),
  ]);
  const messages: Frame[] = [
    [1, 0xffff_ffff, 0x8000_0001, 'first'],
    [2, 2, 0, ''],
    [3, 3, 0, 'between'],
    [4, 4, 0, 'x'.repeat(PIECE_SIZE)],
    [5, 7, 8, large],
    [6, 6, 6, 'last'],
  ];

  it('are the same messages wherever the chunks end', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 30 }), at => {
        const { frames, read } = reader();
        for (const chunk of cut(stream, at)) read.push(Buffer.from(chunk));
        expect(frames).to.deep.equal(messages);
      }),
      { numRuns: 200 },
    );
  });

  it('are the same messages byte by byte', () => {
    const { frames, read } = reader();
    for (const byte of stream) read.push(Buffer.of(byte));
    expect(frames).to.deep.equal(messages);
  });

  it('are handed over as soon as they are complete, not a byte later', () => {
    const { frames, read } = reader();
    const one = frame(1, 1, 1, 'whole');
    read.push(one.subarray(0, one.length - 1));
    expect(frames).to.deep.equal([]);
    read.push(one.subarray(one.length - 1));
    expect(frames.length).to.equal(1);
  });

  it('stop in the middle of a chunk when they are told to', () => {
    const frames: number[] = [];
    const read: FrameReader = new FrameReader(0, kind => {
      frames.push(kind);
      if (kind === 2) read.stop();
    });
    read.push(stream);
    read.push(stream);
    expect(frames).to.deep.equal([1, 2]);
  });

  const offences: Record<string, Buffer> = {
    'a length too short for a header': Buffer.concat([Buffer.of(8, 0, 0, 0), Buffer.alloc(20)]),
    'a length beyond what one frame may have': Buffer.concat([Buffer.of(0xff, 0xff, 0xff, 0xff), Buffer.alloc(20)]),
    'an unknown kind of the link’s own': frame(250, 0, 0),
    'a piece of nothing': frame(PIECE, 0, 0, 'x'),
    'an empty piece': Buffer.concat([frame(LARGE, 0, 0, announced(5, 100_000)), frame(PIECE, 0, 0)]),
    'a piece beyond the announced length': Buffer.concat([
      frame(LARGE, 0, 0, announced(5, PIECE_SIZE + 1)),
      frame(PIECE, 0, 0, Buffer.alloc(PIECE_SIZE)),
      frame(PIECE, 0, 0, 'xx'),
    ]),
    'a large value inside another': Buffer.concat([frame(LARGE, 0, 0, announced(5, 100_000)), frame(LARGE, 0, 0, announced(5, 100_000))]),
    'a large value of a kind of the link’s own': frame(LARGE, 0, 0, announced(LARGE, 100_000)),
    'a large value that is small': frame(LARGE, 0, 0, announced(5, PIECE_SIZE)),
    'an announcement of the wrong length': frame(LARGE, 0, 0, 'four'),
  };
  for (const [name, bytes] of Object.entries(offences)) {
    it(`refuse ${name}`, () => {
      expect(() => reader().read.push(bytes)).to.throw(ProtocolError);
      expect(() => {
        const { read } = reader();
        for (const byte of bytes) read.push(Buffer.of(byte));
      }).to.throw(ProtocolError);
    });
  }

  it('refuse values above the limit from their header alone', () => {
    const { read } = reader(1000);
    read.push(frame(1, 0, 0, 'x'.repeat(1000)));
    expect(() => read.push(frame(1, 0, 0, 'x'.repeat(1001)).subarray(0, HEADER_SIZE))).to.throw(
      ProtocolError,
      'maxMessageSize (1000 bytes)',
    );
    expect(() => reader(100_000).read.push(frame(LARGE, 0, 0, announced(1, 100_001)))).to.throw(
      ProtocolError,
      'maxMessageSize (100000 bytes)',
    );
  });

  it('of messages that users do not write have a limit of their own, whatever that of values is', () => {
    for (const [kind, limit] of OWN_LIMITS) {
      const small = Math.min(limit, PIECE_SIZE);
      const { read, frames } = reader(100);
      read.push(frame(kind, 0, 0, Buffer.alloc(small)));
      if (limit > PIECE_SIZE) {
        read.push(frame(LARGE, 0, 0, announced(kind, limit)));
        for (let at = 0; at < limit; at += PIECE_SIZE) read.push(frame(PIECE, 0, 0, Buffer.alloc(Math.min(PIECE_SIZE, limit - at))));
      }
      expect(frames.map(([, , , value]) => value.length)).to.deep.equal(limit > PIECE_SIZE ? [small, limit] : [small]);
      const larger =
        limit < PIECE_SIZE
          ? frame(kind, 0, 0, Buffer.alloc(limit + 1))
          : frame(LARGE, 0, 0, announced(kind, Math.max(limit, PIECE_SIZE) + 1));
      expect(() => reader(100).read.push(larger)).to.throw(ProtocolError, 'maxMessageSize (100 bytes)');
    }
  });

  it('are put together alike, whether their announcement is believed or not', () => {
    const value = Buffer.alloc(20 * PIECE_SIZE + 7, 'some bytes, ');
    const pieces: Buffer[] = [frame(LARGE, 1, 2, announced(5, value.length))];
    for (let at = 0; at < value.length; at += PIECE_SIZE) pieces.push(frame(PIECE, 0, 0, value.subarray(at, at + PIECE_SIZE)));
    for (const [limit, trusted] of [
      [0, false],
      [0, true],
      [value.length, false],
    ] as const) {
      const taken: Buffer[] = [];
      const read = new FrameReader(limit, (_kind, _id, _arg, buf, start, end) => taken.push(buf.subarray(start, end)), trusted);
      for (const chunk of cut(Buffer.concat(pieces), [1, 100_000, 500_000, 500_001, 900_000])) read.push(chunk);
      expect(taken).to.have.length(1);
      expect(taken[0]!.equals(value)).to.equal(true);
    }
  });

  it('take memory only for what has arrived, where nothing limits them', () => {
    const { read } = reader();
    const before = process.memoryUsage().arrayBuffers;
    read.push(frame(LARGE, 0, 0, announced(1, 0x7fff_ffff)));
    read.push(frame(PIECE, 0, 0, Buffer.alloc(1000)));
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(4 * PIECE_SIZE);
  });
});
