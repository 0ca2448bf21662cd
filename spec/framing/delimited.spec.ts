import { expect } from 'chai';
import fc from 'fast-check';
import { delimited, FramingError } from '../../src/framing/index.js';
import { conformance } from '../../src/testing/conformance.js';
import { decoded, encoded, survivesAnyBytes, survivesAnyCut } from './kit.js';

const buffers = (...texts: string[]): Buffer[] => texts.map(text => Buffer.from(text, 'latin1'));
const texts = (messages: readonly Buffer[]): string[] => messages.map(message => message.toString('latin1'));
const bytes = (alphabet: string): fc.Arbitrary<Buffer> =>
  fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 30 }).map(text => Buffer.from(text, 'latin1'));

describe('delimited()', () => {
  describe('by bytes', () => {
    conformance(delimited(Buffer.from([0])), {
      samples: [
        { bytes: 'one\0\0three\0', messages: buffers('one', '', 'three') },
        { bytes: 'one\0rest', messages: buffers('one', 'rest') },
        { bytes: Buffer.concat([Buffer.alloc(2 ** 20, 'x'), Buffer.from([0])]), messages: [Buffer.alloc(2 ** 20, 'x')] },
      ],
    });
    describe('of several', () => {
      conformance(delimited('\r\n.\r\n'), {
        samples: [{ bytes: 'a\r\nb\r\n.\r\n\r\n.\r\nc\r\n.\r\r\n.\r\n', messages: buffers('a\r\nb', '', 'c\r\n.\r') }],
      });
    });
    describe('that overlap themselves', () => {
      conformance(delimited('aa'), { samples: [{ bytes: 'baabaaaacaa', messages: buffers('b', 'b', '', 'c') }] });
    });

    it('delivers any bytes as they were sent, however they are cut', () => {
      const framing = delimited('ab');
      const free = bytes('abc\0').filter(message => !`${message.toString('latin1')}ab`.slice(0, -1).includes('ab'));
      survivesAnyCut<Buffer>(framing, free, (actual, expected) => expect(actual).to.deep.equal(expected));
    });

    it('raises nothing but FramingErrors', () => survivesAnyBytes(delimited('ab'), ['ab', 'a', 'b']));

    it('throws for a message that contains the delimiter, or forms one together with it', () => {
      expect(() => delimited('aa').encode('xaay')).to.throw(TypeError, 'delimiter');
      expect(() => delimited('aa').encode('xa')).to.throw(TypeError, 'delimiter');
      expect(encoded(delimited('\0'), 'x').toString()).to.equal('x\0');
    });

    it('holds the limit to the byte', () => {
      expect(texts(decoded(delimited('--'), ['12345--'], 5))).to.deep.equal(['12345']);
      for (const chunks of [['123456--'], ['123456-'], ['123456'], ['1', '2', '3', '4', '5', '6', '-', '-']]) {
        expect(() => decoded(delimited('--'), chunks, 5))
          .to.throw(FramingError, '5 bytes')
          .with.property('code', 'ERR_PACKET_FRAMING_TOO_LARGE');
      }
    });

    it('refuses an empty delimiter', () => expect(() => delimited('')).to.throw(TypeError));

    it('is not moved by what becomes of the delimiter’s buffer', () => {
      const delimiter = Buffer.from(';');
      const framing = delimited(delimiter);
      delimiter.fill(0);
      expect(texts(decoded(framing, ['a;b']))).to.deep.equal(['a', 'b']);
    });
  });

  describe('by a pattern', () => {
    conformance(delimited(/\r\n|\r|\n/, { send: '\r\n' }), {
      samples: [
        { bytes: 'unix\nmac\rdos\r\n\r\n\n\rend', messages: buffers('unix', 'mac', 'dos', '', '', '', 'end') },
        { bytes: Buffer.concat([Buffer.alloc(2 ** 20, 'x'), Buffer.from('\r\n')]), messages: [Buffer.alloc(2 ** 20, 'x')] },
      ],
    });
    describe('that repeats', () => {
      conformance(delimited(/\s*,\s*/, { send: ',' }), {
        samples: [{ bytes: 'a , b,c    ,   d e ,\t', messages: buffers('a', 'b', 'c', 'd e') }],
      });
    });
    describe('of optional parts', () => {
      conformance(delimited(/(?:\r?\n){2}/i, { send: '\n\n' }), {
        samples: [{ bytes: 'a\nb\n\r\nc\r\n\r\n\nd', messages: buffers('a\nb', 'c', '\nd') }],
      });
    });

    it('splits as String.split does, however the bytes are cut', () => {
      for (const pattern of [/\r\n|\r|\n/, /[;,]+/, /\s*,\s*/, /ab?c?/, /(?:\r?\n)/, /x{2,3}/]) {
        survivesAnyCut(
          { decoder: limit => delimited(pattern).decoder(limit), encode: (message: Buffer) => message },
          bytes('ab ,;\r\nxc').filter(part => part.length > 0),
          (actual, expected) => {
            const parts = Buffer.concat(expected).toString('latin1').split(pattern);
            // An empty last part is none: the stream ends with its delimiter.
            if (parts.at(-1) === '') parts.pop();
            expect(texts(actual)).to.deep.equal(parts);
          },
        );
      }
    });

    it('raises nothing but FramingErrors', () => survivesAnyBytes(delimited(/a+b/), ['a', 'b', 'aab']));

    it('delivers as soon as it matches, and swallows what prolongs the match', () => {
      const decoder = delimited(/\r\n|\r|\n/).decoder(Infinity);
      decoder.push(Buffer.from('one\r'));
      expect(String(decoder.next())).to.equal('one');
      decoder.push(Buffer.from('\ntwo\n'));
      expect(String(decoder.next())).to.equal('two');
      expect(decoder.next()).to.equal(undefined);
    });

    it('repeats * and + at most 64 times', () => {
      expect(texts(decoded(delimited(/-+/), [`a${'-'.repeat(65)}b`]))).to.deep.equal(['a', '', 'b']);
    });

    it('holds the limit', () => {
      expect(texts(decoded(delimited(/;+/), ['12345;;'], 5))).to.deep.equal(['12345']);
      expect(() => decoded(delimited(/;+/), ['123456;'], 5)).to.throw(FramingError, '5 bytes');
      const decoder = delimited(/;+/).decoder(100);
      decoder.push(Buffer.alloc(100 + 64, 'x'));
      expect(() => decoder.next()).to.throw(FramingError);
    });

    it('refuses patterns whose cost or length has no bound, and says why', () => {
      const refused: [RegExp, string][] = [
        [/(a+)+b/, 'too many ways'],
        [/(?:a|a)+b/, 'too many ways'],
        [/(?:a?){12}b/, 'too many ways'],
        [/a*a*b/, 'too many ways'],
        [/\s*\s*,/, 'too many ways'],
        [/(?:a|b|ab)+;/, 'too many ways'],
        [/\w*\d*;/, 'too many ways'],
        [/(?:-+|=)*;/, 'too many ways'],
        [/(?:a|aa){20}b/, 'too many ways'],
        [/[ab]*?[bc]*?d/, 'too many ways'],
        [/a?/, 'matches where there is no byte'],
        [/(?:)/, 'matches where there is no byte'],
        [/x{300}/, '300 bytes'],
        [/^a/, 'anchors'],
        [/a$/, 'anchors'],
        [/\bx/, 'anchors'],
        [/x(?=y)/, 'lookaround'],
        [/(?<!y)x/, 'lookaround'],
        [/(?<=y)x/, 'lookaround'],
        [/(x)\1/, 'back references'],
        [/\u2028/, 'no byte'],
        [/é‖/, 'no byte'],
        [/x/u, 'flags'],
      ];
      for (const [pattern, why] of refused) expect(() => delimited(pattern), String(pattern)).to.throw(TypeError, why);
    });

    it('gives back the turn in a long search, and finds the same', () => {
      const decoder = delimited(/\s*,\s*/).decoder(Infinity);
      decoder.push(Buffer.concat([Buffer.alloc(2_000_000, ' '), Buffer.from('a  ,  b,')]));
      const search = (): number => {
        let turns = 0;
        while (!decoder.search!()) turns++;
        return turns;
      };
      expect(search()).to.be.above(1);
      const first = decoder.next()!;
      expect([first.length, first.at(-1)]).to.deep.equal([2_000_001, 'a'.charCodeAt(0)]);
      expect(search()).to.equal(0);
      expect(String(decoder.next())).to.equal('b');
    });

    it('what a search has found is looked for again when more bytes come', () => {
      const decoder = delimited(/\r\n|\r/).decoder(Infinity);
      decoder.push(Buffer.from('a\r'));
      expect(decoder.search!()).to.equal(true);
      decoder.push(Buffer.from('\nb\r'));
      expect(decoder.search!()).to.equal(true);
      expect(String(decoder.next())).to.equal('a');
      expect(decoder.search!()).to.equal(true);
      expect(String(decoder.next())).to.equal('b');
    });

    it('accepts the syntax of bounded ones', () => {
      const accepted: [RegExp, string, string[]][] = [
        [/[\]x]/, 'a]bxc', ['a', 'b', 'c']],
        [/(?<end>;)/g, 'a;b', ['a', 'b']],
        // oxlint-disable-next-line no-control-regex -- a byte like any other
        [/\x00{2}/, 'a\0b\0\0c', ['a\0b', 'c']],
        [/END/i, 'aendb', ['a', 'b']],
        [/\cJ/y, 'a\nb', ['a', 'b']],
        [/a{/, '1a{2', ['1', '2']],
        [/;{1,2}?/, 'a;;b', ['a', '', 'b']],
        [/\u00ff/, 'a\xffb', ['a', 'b']],
        [/./s, 'a', ['']],
        [/\\/, 'a\\b', ['a', 'b']],
        [/\s*,\s*/, 'a , b', ['a', 'b']],
        [/-+>|=+>/, 'a-->b=>c', ['a', 'b', 'c']],
        [/;[ \t]*(?:#[a-z]*)?\n/, 'a; #x\nb', ['a', 'b']],
      ];
      for (const [pattern, stream, parts] of accepted)
        expect(texts(decoded(delimited(pattern), [Buffer.from(stream, 'latin1')])), String(pattern)).to.deep.equal(parts);
    });

    it('sends what it was told to, which must be a delimiter', () => {
      expect(encoded(delimited(/\r?\n/, { send: '\r\n' }), 'a').toString()).to.equal('a\r\n');
      expect(() => delimited(/\r?\n/).encode('a')).to.throw(TypeError, 'send');
      expect(() => delimited(/\r?\n/, { send: 'x' })).to.throw(TypeError, 'send');
      expect(() => delimited(/\r?\n/, { send: '\r\n' }).encode('a\nb')).to.throw(TypeError, 'delimiter');
      expect(() => delimited(/a+/, { send: 'a' }).encode('xa')).to.throw(TypeError, 'delimiter');
    });
  });

  it('reads datagrams without the delimiter, with it, and empty ones', () => {
    for (const { whole } of [delimited(';'), delimited(/;/, { send: ';' }), delimited(/;/)]) {
      expect(encoded(whole!, 'a').toString()).to.equal('a');
      expect(texts(decoded(whole!, ['a;b']))).to.deep.equal(['a', 'b']);
      expect(texts(decoded(whole!, ['a;']))).to.deep.equal(['a']);
      expect(texts(decoded(whole!, ['']))).to.deep.equal(['']);
    }
  });
});
