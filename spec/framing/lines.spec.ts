import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/errors.js';
import type { Framing } from '../../src/framing/framing.js';
import { FramingError, lines } from '../../src/framing/index.js';
import { conformance } from '../../src/testing/conformance.js';
import { decoded, encoded, survivesAnyBytes, survivesAnyCut } from './kit.js';

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string()).filter(line => !line.includes('\n') && !line.endsWith('\r'));

describe('lines()', () => {
  conformance(lines(), {
    samples: [
      { bytes: 'hello\nworld\r\n\n', messages: ['hello', 'world', ''] },
      { bytes: 'grüße 👋\nlast, unterminated', messages: ['grüße 👋', 'last, unterminated'] },
      { bytes: `${'long '.repeat(500)}\nshort\r\n`, messages: ['long '.repeat(500), 'short'] },
      { bytes: 'a\rb\r\n', messages: ['a\rb'] },
      { bytes: Buffer.from([0x61, 0xc3, 0x0a, 0xff, 0x0a, 0x62, 0x0a]), messages: ['a\ufffd', '\ufffd', 'b'] },
      { bytes: `${'x'.repeat(2 ** 20)}\n`, messages: ['x'.repeat(2 ** 20)] },
    ],
  });

  it('delivers any text as it was sent, however it is cut', () => {
    survivesAnyCut(lines(), text, (actual, expected) => expect(actual).to.deep.equal(expected.map(line => Buffer.from(line).toString())));
  });

  it('raises nothing but FramingErrors', () => survivesAnyBytes(lines(), ['\n', '\r\n', 'x'.repeat(60)]));

  it('reads every line as its own bytes say, also where they are no UTF-8', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 12 })), parts => {
        const stream = Buffer.concat(parts.flatMap(part => [part.filter(byte => byte !== 0x0a), Buffer.from('\n')]));
        const expected = parts.map(part =>
          Buffer.from(part.filter(byte => byte !== 0x0a))
            .toString()
            .replace(/\r$/, ''),
        );
        expect(decoded(lines(), [stream])).to.deep.equal(expected);
      }),
    );
  });

  it('drops one \\r before the \\n and no other', () => expect(decoded(lines(), ['\ra\r\r\n\r\n'])).to.deep.equal(['\ra\r', '']));

  it('has a limit of 64 KB of its own, or what maxLength says', () => {
    expect(lines().maxMessageSize).to.equal('64kb');
    expect(lines({ maxLength: '1mb' }).maxMessageSize).to.equal('1mb');
    expect(lines({ maxLength: false }).maxMessageSize).to.equal(0);
  });

  it('names the option that was written: maxLength, or the maxMessageSize that came before it', () => {
    const refusal = (framing: Framing<string>, limit: number) => () => decoded(framing, ['x'.repeat(2_000)], limit);
    for (const framing of [lines({ maxLength: '1kb' }), lines({ maxLength: 1024, delimiter: ';' }), lines({ maxLength: '1kb' }).whole!]) {
      expect(refusal(framing, 1024)).to.throw(FramingError, 'a line is larger than 1024 bytes (maxLength)');
      expect(refusal(framing, 500)).to.throw(FramingError, 'a line is larger than 500 bytes (maxMessageSize)');
    }
    expect(refusal(lines(), 1024)).to.throw(FramingError, 'a line is larger than 1024 bytes (maxMessageSize)');
    expect(() => lines({ maxLength: 'long' as '1kb' })).to.throw(UsageError, '"long" is not a size');
  });

  for (const end of ['\n', '\r\n']) {
    it(`accepts a line of exactly the limit and refuses one byte more, before ${JSON.stringify(end)}`, () => {
      for (const limit of [0, 1, 5, 1023, 1024, 1025, 3000]) {
        const line = 'y'.repeat(limit);
        expect(decoded(lines(), [line + end], limit)).to.deep.equal([line]);
        for (const chunks of [[`${line}y${end}`], [line, `y${end}`], [...line, 'y', ...end]]) {
          expect(() => decoded(lines(), chunks, limit))
            .to.throw(FramingError, String(limit))
            .with.property('code', 'ERR_PACKET_FRAMING_TOO_LARGE');
        }
      }
    });
  }

  it('refuses an unterminated line above the limit before its end has come', () => {
    const decoder = lines().decoder(10);
    decoder.push(Buffer.from('12345678901\r'));
    expect(() => decoder.next()).to.throw(FramingError);
  });

  it('delivers the lines before one that is refused', () => {
    const decoder = lines().decoder(4);
    decoder.push(Buffer.from('good\nbad line\n'));
    expect(decoder.next()).to.equal('good');
    expect(() => decoder.next()).to.throw(FramingError);
  });

  it('throws for a message that contains the delimiter', () => {
    expect(() => lines().encode('a\nb')).to.throw(TypeError, 'multiline');
    expect(() => lines({ delimiter: '\r\n' }).encode('a\r\nb')).to.throw(TypeError);
    expect(lines({ delimiter: '\r\n' }).encode('a\nb')).to.equal('a\nb\r\n');
  });

  it('throws for a message that forms the delimiter together with its end', () => {
    expect(() => lines({ delimiter: 'aa' }).encode('xa')).to.throw(TypeError);
    expect(lines({ delimiter: '\r\n' }).encode('x\r')).to.equal('x\r\r\n');
  });

  it('throws for what is not text', () => {
    expect(() => lines().encode(42 as unknown as string)).to.throw(TypeError, 'number');
    expect(() => lines().encode(null as unknown as string)).to.throw(TypeError, 'null');
  });

  it('sends a message of several lines with multiline', () => {
    const framing = lines({ multiline: true });
    expect(decoded(framing, [encoded(framing, 'a\nb')])).to.deep.equal(['a', 'b']);
  });

  describe('with another delimiter', () => {
    for (const delimiter of ['\r\n', ';', 'aab', 'aa', '\u2028', '--END--']) {
      describe(JSON.stringify(delimiter), () => {
        conformance(lines({ delimiter }), {
          samples: [{ bytes: ['xaz', '', 'y', 'last'].join(delimiter), messages: ['xaz', '', 'y', 'last'] }],
        });
      });
    }

    it('keeps the \\r before a delimiter that is not \\n', () =>
      expect(decoded(lines({ delimiter: ';' }), ['a\r;'])).to.deep.equal(['a\r']));
    it('finds the first of overlapping delimiters', () =>
      expect(decoded(lines({ delimiter: 'aa' }), ['xaaa\n'])).to.deep.equal(['x', 'a\n']));
    it('refuses an empty one', () => expect(() => lines({ delimiter: '' })).to.throw(TypeError, 'delimiter'));
  });

  describe('with another encoding', () => {
    conformance(lines({ encoding: 'utf16le' }), {
      // The bytes of 'Ċ' and those between 'ਁ' and 'Ā' contain a line end that is none.
      samples: [{ bytes: Buffer.from('aĊ\nਁĀ\r\n\nlast', 'utf16le'), messages: ['aĊ', 'ਁĀ', '', 'last'] }],
    });
    it('reads and writes latin1', () => {
      const framing = lines({ encoding: 'latin1' });
      expect(encoded(framing, 'é')).to.deep.equal(Buffer.from([0xe9, 0x0a]));
      expect(decoded(framing, [Buffer.from([0xe9, 0x8a, 0x0a])])).to.deep.equal(['é\x8a']);
    });
    it('refuses to send what latin1 would turn into a line end', () => {
      expect(() => lines({ encoding: 'latin1' }).encode('a\u010ab')).to.throw(TypeError, 'latin1');
    });
    it('refuses encodings that are not of text', () => {
      expect(() => lines({ encoding: 'base64' as 'utf8' })).to.throw(TypeError, 'base64');
    });
  });

  describe('in datagrams', () => {
    const whole = lines().whole!;
    it('leaves the delimiter off', () => expect(encoded(whole, 'a').toString()).to.equal('a'));
    it('reads one line, several, and an empty one', () => {
      expect(decoded(whole, ['a'])).to.deep.equal(['a']);
      expect(decoded(whole, ['a\nb\n'])).to.deep.equal(['a', 'b']);
      expect(decoded(whole, [''])).to.deep.equal(['']);
    });
    it('keeps an empty last line of a multiline message', () => {
      const multiline = lines({ multiline: true }).whole!;
      expect(decoded(multiline, [encoded(multiline, 'a\n')])).to.deep.equal(['a', '']);
    });
    it('holds the limit', () => expect(() => decoded(whole, ['12345'], 4)).to.throw(FramingError));
  });

  it('hands exactly the undelivered bytes on, in the middle of a batch too', () => {
    const bytes = Buffer.from('grüße\r\nzwei\n\u{1f600}drei\nvier');
    for (let given = 0; given <= 3; given++) {
      const decoder = lines().decoder(Infinity);
      decoder.push(Buffer.from(bytes));
      const lengths = ['grüße\r\n', 'zwei\n', '\u{1f600}drei\n'].slice(0, given).map(line => Buffer.byteLength(line));
      for (let i = 0; i < given; i++) decoder.next();
      expect(decoder.rest()).to.deep.equal(bytes.subarray(lengths.reduce((sum, length) => sum + length, 0)));
    }
  });

  it('with `fatal` refuse a line that is no UTF-8, behind those before it; a split character is none', () => {
    const euro = Buffer.from('€');
    const bytes = Buffer.concat([Buffer.from('a\n'), euro, Buffer.from('\r\nb'), Buffer.from([0xc3, 0x28]), Buffer.from('\nc\n')]);
    for (const chunks of [[bytes], [...bytes].map(byte => Buffer.from([byte]))]) {
      const decoder = lines({ fatal: true }).decoder(100);
      for (const chunk of chunks) decoder.push(chunk);
      expect([decoder.next(), decoder.next()]).to.deep.equal(['a', '€']);
      expect(() => decoder.next()).to.throw(FramingError, 'no UTF-8');
    }
    const cut = lines({ fatal: true }).decoder(100);
    cut.push(euro.subarray(0, 2));
    expect(() => cut.end!()).to.throw(FramingError, 'no UTF-8');
    const lenient = lines().decoder(100);
    lenient.push(Buffer.from([0xff, 0x0a]));
    expect(lenient.next()).to.equal('\ufffd');
  });
});
