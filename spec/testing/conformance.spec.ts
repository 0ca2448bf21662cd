import { expect } from 'chai';
import { AssertionError } from 'node:assert';
import { FramingError, type Decoder, type Framing } from '../../src/framing/index.js';
import { conformance, conformanceChecks, type ConformanceCases } from '../../src/testing/conformance.js';

/** The names of the promises that this framing breaks. */
function broken<In>(framing: Framing<In, never>, cases: ConformanceCases<In>): string[] {
  return conformanceChecks(framing, cases)
    .filter(({ run }) => {
      try {
        run();
        return false;
      } catch {
        return true;
      }
    })
    .map(({ name }) => name);
}

/** Whether it breaks the promise of that name. */
function breaks<In>(promise: string, framing: Framing<In, never>, cases: ConformanceCases<In>): void {
  const check = conformanceChecks(framing, cases).find(({ name }) => name === promise);
  if (check === undefined) throw new Error(`there is no promise '${promise}'`);
  expect(() => check.run()).to.throw();
}

/** Texts with a ';' behind each, as somebody might write them: what has been searched is not searched again. */
class Semicolons implements Decoder<string> {
  #parts: Buffer[] = [];
  #size = 0;
  /** Whole messages, and where the next begins. */
  #ready = Buffer.alloc(0);
  #at = 0;
  constructor(private readonly limit: number) {}

  push(chunk: Buffer): void {
    const last = chunk.lastIndexOf(0x3b) + 1;
    if (last > 0) {
      this.#ready = Buffer.concat([this.#ready.subarray(this.#at), ...this.#parts, chunk.subarray(0, last)]);
      this.#at = this.#size = 0;
      this.#parts = [];
    }
    if (last < chunk.length) this.#parts.push(chunk.subarray(last));
    this.#size += chunk.length - last;
  }

  next(): string | undefined {
    const start = this.#at;
    const end = this.#ready.indexOf(0x3b, start);
    if ((end < 0 ? this.#size : end - start) > this.limit) throw new FramingError('too large', { code: 'ERR_PACKET_FRAMING_TOO_LARGE' });
    if (end < 0) return undefined;
    this.#at = end + 1;
    return this.#ready.toString('utf8', start, end);
  }

  get pending(): number {
    return this.#ready.length - this.#at + this.#size;
  }

  rest(): Buffer {
    return Buffer.concat([this.#ready.subarray(this.#at), ...this.#parts]);
  }
}

/** The same with one thing broken. */
function changed(
  changes: (inner: Semicolons, limit: number) => Partial<Decoder<string>>,
  own?: { limit: number },
): (limit: number) => Decoder<string> {
  return limit => {
    const inner = new Semicolons(own?.limit ?? limit);
    return { push: chunk => inner.push(chunk), next: () => inner.next(), rest: () => inner.rest(), ...changes(inner, limit) };
  };
}

/** All bytes in one buffer; how it is kept is what is broken. */
function buffered(join: (bytes: Buffer, chunk: Buffer) => Buffer, leave: (bytes: Buffer) => Buffer): () => Decoder<string> {
  return () => {
    let bytes = Buffer.alloc(0) as Buffer;
    return {
      push: chunk => void (bytes = join(bytes, chunk)),
      next: () => {
        const end = bytes.indexOf(0x3b);
        if (end < 0) return undefined;
        const message = bytes.toString('utf8', 0, end);
        bytes = leave(bytes.subarray(end + 1));
        return message;
      },
      rest: () => bytes,
    };
  };
}

const LINES: ConformanceCases<string> = { samples: [{ bytes: 'one;zwei grüße;;three;', messages: ['one', 'zwei grüße', '', 'three'] }] };

/** The framing that keeps its promises. */
function correct(): Framing<string, never> {
  return framing(limit => new Semicolons(limit));
}

function framing<In>(decoder: (limit: number) => Decoder<In>): Framing<In, never> {
  return { decoder, encode: () => '' };
}

describe('conformance()', () => {
  it('needs a sample', () =>
    expect(() =>
      conformanceChecks(
        framing(limit => new Semicolons(limit)),
        { samples: [] },
      ),
    ).to.throw(TypeError, 'sample'));

  it('passes a framing that keeps its promises', () => {
    expect(broken(correct(), LINES)).to.deep.equal([]);
  });

  describe('catches a decoder that', () => {
    const cases: Record<string, [promise: string, decoder: (limit: number) => Decoder<string>]> = {
      'forgets what came before a chunk': [
        'decodes each sample byte by byte',
        changed((inner, limit) => ({ push: chunk => (inner = new Semicolons(limit)).push(chunk), next: () => inner.next() })),
      ],
      'decodes characters before they are whole': [
        'decodes each sample split at every offset',
        changed(inner => ({ push: chunk => inner.push(Buffer.from(chunk.toString())) })),
      ],
      'has more to give when it is asked again': [
        'has nothing new until new bytes come',
        changed(inner => {
          let asked = 0;
          return { next: () => (asked++ % 2 === 0 ? undefined : inner.next()) };
        }),
      ],
      'shares its state with other connections': [
        'keeps the state of one connection apart from that of another',
        (
          shared => () =>
            shared
        )(new Semicolons(Infinity)),
      ],
      'passes over what is left at the end': [
        'gives out or refuses what is there when the stream ends at any offset',
        changed(() => ({ end: () => undefined })),
      ],
      'does not hand on all that it has': [
        'knows at every offset what it has taken in and not given out',
        changed(inner => ({ rest: () => inner.rest().subarray(1) })),
      ],
      'is wrong about what is pending': ['knows at every offset what it has taken in and not given out', changed(() => ({ pending: 0 }))],
      'raises errors of other kinds': [
        'raises nothing but FramingError for random bytes, however they are cut',
        changed(inner => ({
          next: () => {
            const message = inner.next();
            return message?.includes('\ufffd') ? decodeURIComponent('%') : message;
          },
        })),
      ],
      'throws from push()': [
        'raises nothing but FramingError for random bytes, however they are cut',
        changed(inner => ({
          push: chunk => {
            if (chunk.includes(0xff)) throw new FramingError('0xff');
            inner.push(chunk);
          },
        })),
      ],
      'looks at the cut of the chunks': [
        'raises nothing but FramingError for random bytes, however they are cut',
        changed(inner => ({ push: chunk => inner.push(chunk[0] === 0xff ? chunk.subarray(1) : chunk) })),
      ],
      'has no limit': ['holds no more than about its limit of a message that does not end', changed(() => ({}), { limit: Infinity })],
      'holds its limit only against messages that are not whole yet': [
        'comes to the same verdict at every limit, however the bytes are cut',
        changed(
          (inner, limit) => ({
            next: () => {
              const message = inner.next();
              if (message === undefined && inner.pending > limit) throw new FramingError('too large');
              return message;
            },
          }),
          { limit: Infinity },
        ),
      ],
      'joins all it has at every chunk': [
        'costs time in proportion to the bytes, however they are cut',
        buffered(
          (bytes, chunk) => Buffer.concat([bytes, chunk]),
          bytes => bytes,
        ),
      ],
      'searches from the start at every chunk': [
        'costs time in proportion to the bytes, however they are cut',
        changed(inner => {
          let text = '';
          return {
            push: chunk => {
              text += chunk.toString('latin1');
              if (text.includes(';')) text = '';
              inner.push(chunk);
            },
          };
        }),
      ],
      'copies what is left after every message': [
        'costs time in proportion to the bytes, however they are cut',
        buffered(
          (bytes, chunk) => Buffer.concat([bytes, chunk]),
          bytes => Buffer.from(bytes),
        ),
      ],
      'never stops giving out messages': ['decodes each sample in one chunk', changed(inner => ({ next: () => inner.next() ?? '' }))],
    };
    for (const [what, [promise, decoder]] of Object.entries(cases)) {
      it(what, () => breaks(promise, framing(decoder), LINES));
    }

    it('copies what is left after every message, also where that is all it does', () => {
      const decoder = buffered(
        (bytes, chunk) => (bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])),
        bytes => Buffer.from(bytes),
      );
      const [check] = conformanceChecks(framing(decoder), { samples: [{ bytes: 'a;', messages: ['a'] }] }).filter(({ name }) =>
        name.startsWith('costs'),
      );
      // Which of the ways to cut the bytes shows it first depends on the engine and the machine.
      expect(() => check!.run()).to.throw(/many messages in one chunk|is not linear/);
    });

    it('allocates what a peer declares', () => {
      const declared = framing(() => {
        let bytes = Buffer.alloc(0) as Buffer;
        let target: Buffer | undefined;
        return {
          push: chunk => void (bytes = Buffer.concat([bytes, chunk])),
          next: () => {
            if (bytes.length < 4) return undefined;
            target ??= Buffer.allocUnsafe(Math.min(bytes.readUInt32BE(), 2 ** 30));
            if (bytes.length < 4 + target.length) return undefined;
            const message = target;
            bytes.copy(message, 0, 4);
            bytes = bytes.subarray(4 + message.length);
            target = undefined;
            return message;
          },
          rest: () => bytes,
        };
      });
      const sample = { bytes: Buffer.from([0, 0, 0, 1, 0x78]), messages: [Buffer.from('x')] };
      breaks('allocates nothing on the word of a declared length', declared, { samples: [sample] });
    });

    it('accepts a large message above its limit', () => {
      const decoder = changed(() => ({}), { limit: Infinity });
      const samples = [{ bytes: `${'x'.repeat(10_000)};`, messages: ['x'.repeat(10_000)] }];
      breaks('comes to the same verdict at every limit, however the bytes are cut', framing(decoder), { samples });
    });

    it('uses a buffer again that it has given away', () => {
      const scratch = framing(limit => {
        const inner = new Semicolons(limit);
        const shared = Buffer.alloc(1000);
        let last = '';
        return {
          push: chunk => inner.push(chunk),
          next() {
            // Writes the difference only, on the assumption that nobody else has written to it.
            const message = inner.next();
            if (message === undefined) return undefined;
            if (message !== last) shared.write(message);
            last = message;
            return shared.subarray(0, Buffer.byteLength(message));
          },
          rest: () => inner.rest(),
        };
      });
      const samples = [{ bytes: 'same;same;', messages: [Buffer.from('same'), Buffer.from('same')] }];
      breaks('gives messages away: what is written to one changes no other', scratch, { samples });
    });

    it('accepts garbage', () => {
      expect(broken(correct(), { ...LINES, garbage: ['fine;'] })).to.deep.equal(['refuses garbage with a FramingError']);
    });

    it('gives other messages than the sample has', () => {
      breaks('decodes each sample in one chunk', correct(), { samples: [{ bytes: 'one;two;', messages: ['one', 'TWO'] }] });
    });
  });

  describe('catches a symmetric framing that', () => {
    const symmetric = (changes: Partial<Framing<string>>): Framing<string> => ({
      decoder: limit => new Semicolons(limit),
      encode: message => `${message};`,
      symmetric: true,
      ...changes,
    });

    it('encodes what it does not decode', () => {
      breaks('reads back what it has encoded', symmetric({ encode: message => `${message.trim().slice(0, 4)};` }), LINES);
    });
    it('has a whole variant that does not read what it encodes', () => {
      const whole = { decoder: (limit: number) => new Semicolons(limit), encode: (message: string) => message };
      breaks('reads back each message from a datagram of its own', symmetric({ whole }), LINES);
    });
  });

  describe('passes framings that are', () => {
    it('asymmetric: commands in, text out', () => {
      const commands: Framing<readonly string[], string> = {
        decoder: limit => mapped(correct().decoder(limit), line => line.split(' ')),
        encode: text => `${text}\r\n`,
      };
      expect(
        broken(commands, {
          samples: [
            {
              bytes: 'set a 1;get a;',
              messages: [
                ['set', 'a', '1'],
                ['get', 'a'],
              ],
            },
          ],
        }),
      ).to.deep.equal([]);
    });

    it('stateful: each message counts from the one before', () => {
      const sums: Framing<number, number> = {
        decoder: limit => {
          let sum = 0;
          return mapped(correct().decoder(limit), line => (sum += line.length));
        },
        encode: String,
      };
      expect(broken(sums, { samples: [{ bytes: 'a;bb;ccc;', messages: [1, 3, 6] }] })).to.deep.equal([]);
    });

    it('forgiving: faults are messages', () => {
      const faults: Framing<number | { fault: string }, string> = {
        decoder: limit => mapped(correct().decoder(limit), line => (/^\d+$/.test(line) ? Number(line) : { fault: line })),
        encode: String,
      };
      expect(broken(faults, { samples: [{ bytes: '1;x;2;', messages: [1, { fault: 'x' }, 2] }] })).to.deep.equal([]);
    });
  });

  it('throws at once where there is no test runner', () => {
    const globals = globalThis as { it?: unknown };
    const { it: runner } = globals;
    try {
      delete globals.it;
      conformance(correct(), LINES);
      expect(() => conformance(correct(), { samples: [{ bytes: 'a;', messages: ['b'] }] })).to.throw(AssertionError, 'got');
    } finally {
      globals.it = runner;
    }
  });
});

function mapped<A, B>(decoder: Decoder<A>, map: (message: A) => B): Decoder<B> {
  return {
    push: chunk => decoder.push(chunk),
    next: () => {
      const message = decoder.next();
      return message === undefined ? undefined : map(message);
    },
    rest: () => decoder.rest(),
  };
}
