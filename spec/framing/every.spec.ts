import { expect } from 'chai';
import fc from 'fast-check';
import {
  delimited,
  fixed,
  FramingError,
  headerAndBody,
  json,
  lengthPrefixed,
  lines,
  netstring,
  objects,
  raw,
  type Framing,
} from '../../src/framing/index.js';
import { encoded } from './kit.js';

const MB = 1024 * 1024;
const bytes = fc.uint8Array({ maxLength: 40 }).map(each => Buffer.from(each));
const word = fc.stringMatching(/^[a-z]{1,8}$/);

interface Row {
  readonly name: string;
  readonly framing: Framing<unknown>;
  readonly message: fc.Arbitrary<unknown>;
  /** One message of 16 MB. */
  readonly huge?: () => unknown;
}

const row = <M>(name: string, framing: Framing<M>, message: fc.Arbitrary<M>, huge?: () => M): Row => ({
  name,
  framing,
  message,
  ...(huge && { huge }),
});

const text = (): string => 'x'.repeat(16 * MB);
const wide = (): string => 'é語'.repeat((16 * MB) / 5);
const blob = (): Buffer => Buffer.alloc(16 * MB, 'x');

/** Every built-in framing, alone and as datagrams have it. */
const FRAMINGS: readonly Row[] = [
  row('lines()', lines(), word, text),
  row("lines({ delimiter: '\\r\\n' })", lines({ delimiter: '\r\n' }), word, wide),
  row(
    'delimited(bytes)',
    delimited('ab'),
    fc.constantFrom('', 'c', 'a-', 'cc').map(each => Buffer.from(each)),
    blob,
  ),
  row(
    'delimited(regexp)',
    delimited(/\r?\n/, { send: '\r\n' }),
    word.map(each => Buffer.from(each)),
    blob,
  ),
  row('lengthPrefixed()', lengthPrefixed({ bytes: 4 }), bytes, blob),
  row(
    'fixed()',
    fixed(16),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map(each => Buffer.from(each)),
  ),
  row('fixed() of 16 MB', fixed(16 * MB), fc.constant(blob()), blob),
  row('netstring()', netstring(), bytes, blob),
  row(
    'json()',
    json(),
    fc.jsonValue().filter(value => value !== undefined),
    text,
  ),
  row('objects()', objects(), fc.oneof(fc.jsonValue(), bytes, fc.constant(new Map([[1, new Date(0)]]))), text),
  row('headerAndBody()', headerAndBody(), fc.record({ headers: fc.dictionary(word, word, { maxKeys: 3 }), body: bytes }), () => ({
    headers: {},
    body: blob(),
  })),
  row(
    'raw()',
    raw() as Framing<Buffer>,
    bytes.filter(each => each.length > 0),
  ),
];

/** What comes of bytes in these chunks: the number of messages, and whether they were refused. Anything but a FramingError passes through. */
function outcome(
  framing: Framing<unknown>,
  chunks: readonly Buffer[],
  limit: number,
): { readonly given: number; readonly refused: boolean } {
  const decoder = framing.decoder(limit);
  let given = 0;
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      while (decoder.next() !== undefined) given++;
    }
    if (decoder.end?.() !== undefined) given++;
    decoder.rest();
  } catch (error) {
    if (error instanceof FramingError) return { given, refused: true };
    throw error;
  }
  return { given, refused: false };
}

/** A stream of valid messages in which some bytes are other ones: nearer to what decoders trust than random bytes are. */
const damaged = ({ framing, message }: Row): fc.Arbitrary<Buffer> =>
  fc
    .record({
      messages: fc.array(message, { minLength: 1, maxLength: 4 }),
      at: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 4 }),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ messages, at, cut }) => {
      const stream = Buffer.concat(messages.map(each => encoded(framing, each)));
      for (const [where, byte] of at) stream[Math.floor(where * (stream.length - 1))] = byte;
      return stream.subarray(0, Math.ceil(stream.length * (1 - cut / 4)));
    });

/** Milliseconds that this process has computed. */
function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

describe('every framing', function () {
  this.slow(2000);

  for (const each of FRAMINGS.filter(({ name }) => !name.includes('16 MB'))) {
    it(`${each.name} raises nothing but FramingErrors for damaged messages, and comes to the same verdict however they are cut`, () => {
      fc.assert(
        fc.property(damaged(each), fc.constantFrom(8, 100, Infinity), (stream, limit) => {
          const whole = outcome(each.framing, [Buffer.from(stream)], limit);
          const crumbs = outcome(
            each.framing,
            Array.from(stream, byte => Buffer.from([byte])),
            limit,
          );
          // Without boundaries of its own, raw() gives and refuses what comes as it comes.
          if (!each.name.startsWith('raw')) expect(crumbs).to.deep.equal(whole);
        }),
        { numRuns: 150 },
      );
    });

    it(`${each.name} raises nothing but FramingErrors for damaged datagrams`, () => {
      fc.assert(
        fc.property(damaged(each), fc.constantFrom(8, 100, Infinity), (datagram, limit) => {
          const { given } = outcome(each.framing.whole ?? each.framing, [Buffer.from(datagram)], limit);
          expect(given).to.be.at.most(datagram.length + 1);
        }),
        { numRuns: 150 },
      );
    });
  }

  for (const { name, framing, huge } of FRAMINGS) {
    if (!huge) continue;
    it(`${name} takes a message of 16 MB in pieces of 1448 bytes for the price of some copies of it, and no single step of it costs more`, function () {
      const stream = encoded(framing, huge());
      const pieces: Buffer[] = [];
      for (let at = 0; at < stream.length; at += 1448) pieces.push(Buffer.from(stream.subarray(at, at + 1448)));
      // Processor time of this process, beside that of the plainest thing that reads each byte: joined, made text, copied once more.
      // Joining anew for each of the 12 000 pieces would cost thousands of times as much; a collection costs some times as much.
      let yardstick = Infinity;
      let longest = Infinity;
      let total = Infinity;
      for (let round = 0; round < 3; round++) {
        const start = worked();
        Buffer.from(Buffer.concat(pieces).toString('utf8'));
        yardstick = Math.min(yardstick, worked() - start);
        const decoder = framing.decoder(64 * MB);
        const began = worked();
        let most = 0;
        let given: unknown;
        for (const piece of pieces) {
          const before = worked();
          decoder.push(piece);
          given = decoder.next();
          most = Math.max(most, worked() - before);
        }
        expect(given ?? decoder.end?.()).to.not.equal(undefined);
        longest = Math.min(longest, most);
        total = Math.min(total, worked() - began);
      }
      expect(longest).to.be.below(25 * yardstick);
      expect(total).to.be.below(50 * yardstick);
    });
  }
});
