import { expect } from 'chai';
import fc from 'fast-check';
import { FramingError, headerAndBody, type HeaderAndBody } from '../../src/framing/index.js';
import { conformance } from '../../src/testing/conformance.js';
import { decoded, encoded, survivesAnyBytes, survivesAnyCut } from './kit.js';

const message = (headers: Record<string, string>, body: string, start?: string): HeaderAndBody => ({
  ...(start === undefined ? {} : { start }),
  headers,
  body: Buffer.from(body),
});
const read = (text: string, limit?: number): HeaderAndBody[] => decoded(headerAndBody(), [Buffer.from(text)], limit);
const written = (value: HeaderAndBody): string => encoded(headerAndBody(), value).toString();

describe('headerAndBody()', () => {
  conformance(headerAndBody(), {
    samples: [
      {
        bytes: 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbodyContent-Length:0\n\n',
        messages: [message({ host: 'x', 'content-length': '4' }, 'body', 'POST /a HTTP/1.1'), message({ 'content-length': '0' }, '')],
      },
      {
        bytes: `content-length: 1048576\r\n\r\n${'x'.repeat(2 ** 20)}`,
        messages: [message({ 'content-length': '1048576' }, 'x'.repeat(2 ** 20))],
      },
    ],
    garbage: [
      'a: b\r\n',
      'no colon\r\nneither here\r\n\r\n',
      'a: b\r\n folded\r\n\r\n',
      'a : b\r\n\r\n',
      'x: y\r\na : b\r\n\r\n',
      'Content-Length: 4\r\n\r\nbod',
      'Content-Length: -1\r\n\r\n',
      'Content-Length: +1\r\n\r\nx',
      'Content-Length: 0x1\r\n\r\nx',
      'Content-Length: 1, 1\r\n\r\nx',
      'Content-Length:\r\n\r\n',
      'Content-Length: 1\r\nContent-Length: 1\r\n\r\nx',
      'Content-Length: 1\r\ncontent-length: 2\r\n\r\nxx',
      'Content-Length: 99999999999999999999\r\n\r\n',
      'Transfer-Encoding: chunked\r\n\r\n',
      'a: b\rc\r\n\r\n',
      'a: b\0\r\n\r\n',
      '__proto__: x\r\n\r\n',
      'start\0\r\n\r\n',
      ' start\r\n\r\n',
      'x: y\r\nä: x\r\n\r\n',
    ],
  });
  describe('without a Content-Length', () => {
    conformance(
      { ...headerAndBody(), symmetric: undefined as never },
      {
        samples: [
          {
            bytes: '\r\n\nHTTP/1.1 200 OK\r\nX: y\r\n\r\nto the end\r\n\r\n',
            messages: [message({ x: 'y' }, 'to the end\r\n\r\n', 'HTTP/1.1 200 OK')],
          },
        ],
      },
    );
  });

  it('delivers any message as it was sent, however it is cut', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map(text => text.replaceAll(/[\p{Cc}]/gu, '').trim());
    const headers = fc.dictionary(fc.stringMatching(/^x-[a-z]{1,8}$/), line, { maxKeys: 5 });
    const messages = fc.record({
      start: fc.constantFrom('GET / HTTP/1.1', 'HTTP/1.1 200', 'x'),
      headers,
      body: fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)),
    });
    survivesAnyCut<HeaderAndBody>(headerAndBody(), messages, (actual, expected) => {
      expect(actual.map(({ headers: { 'content-length': length, ...own }, ...rest }) => ({ ...rest, headers: own, length }))).to.deep.equal(
        expected.map(each => ({ ...each, length: String(each.body.length) })),
      );
    });
  });

  it('raises nothing but FramingErrors', () =>
    survivesAnyBytes(headerAndBody(), ['\r\n', '\n', 'a: b\r\n', 'Content-Length: 3\n', 'GET / X\r\n', '\r\n\r\n']));

  it('reads names in lower case, values without the blanks around, several of one name as a list', () => {
    expect(read('X-A:  1\t\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n')).to.deep.equal([message({ 'x-a': '1, 2', 'content-length': '0' }, '')]);
  });

  it('tells a start line from a header', () => {
    for (const start of ['GET http://h:80/ HTTP/1.1', 'HTTP/1.1 200 OK', 'QUIT', 'äöü', 'a b: c']) {
      expect(read(`${start}\r\ncontent-length: 0\r\n\r\n`)[0]).to.have.property('start', start);
    }
    expect(read('Content-Length: 0\r\n\r\n')[0]).not.to.have.property('start');
  });

  it('has headers without a prototype: what was not sent is not there', () => {
    const [{ headers }] = read('a: b\r\nconstructor: mine\r\n\r\n') as [HeaderAndBody];
    expect(headers['toString']).to.equal(undefined);
    expect(headers['constructor']).to.equal('mine');
  });

  it('ends a body without Content-Length where the stream ends', () => {
    const decoder = headerAndBody().decoder(Infinity);
    decoder.push(Buffer.from('a: b\r\n\r\nsome'));
    expect(decoder.next()).to.equal(undefined);
    decoder.push(Buffer.from(' more'));
    expect(decoder.next()).to.equal(undefined);
    expect(decoder.end!()).to.deep.equal(message({ a: 'b' }, 'some more'));
  });

  it('passes over blank lines, without holding them', () => {
    const decoder = headerAndBody().decoder(10);
    for (let i = 0; i < 100; i++) {
      decoder.push(Buffer.from('\r\n\n'));
      expect(decoder.next()).to.equal(undefined);
    }
    expect(decoder.pending).to.equal(0);
  });

  describe('limits', () => {
    const text = 'Content-Length: 5\r\n\r\nfives';
    it('count headers and body together', () => {
      expect(read(text, text.length)).to.have.length(1);
      expect(() => read(text, text.length - 1))
        .to.throw(FramingError)
        .with.property('code', 'ERR_PACKET_FRAMING_TOO_LARGE');
    });
    it('refuse a body by its declared length, before it comes', () => {
      expect(() => read('Content-Length: 1000000\r\n\r\n', 1000)).to.throw(FramingError, '1000 bytes');
    });
    it('refuse a body without length when it has grown too large', () =>
      expect(() => read(`a: b\r\n\r\n${'x'.repeat(100)}`, 100)).to.throw(FramingError));
    it('refuse headers without end', () => expect(() => read('a: b\r\n'.repeat(200), 1000)).to.throw(FramingError, 'header block'));
    it('refuse more than 1000 headers', () => {
      const lines = (count: number): string => `${Array.from({ length: count }, (_, i) => `h${i}: x\r\n`).join('')}\r\n`;
      expect(read(`start\r\n${lines(1000)}`)).to.have.length(1);
      for (const start of ['', 'start\r\n']) expect(() => read(start + lines(1001))).to.throw(FramingError, '1000 headers');
    });
  });

  describe('encoding', () => {
    it('adds the Content-Length, and keeps one that is right', () => {
      expect(written(message({ A: 'b' }, 'é', 'OK'))).to.equal('OK\r\nA: b\r\nContent-Length: 2\r\n\r\né');
      expect(written(message({ 'content-length': '2' }, 'ok'))).to.equal('content-length: 2\r\n\r\nok');
    });
    it('throws for a Content-Length that is not the body’s, twice, or beside a Transfer-Encoding', () => {
      expect(() => written(message({ 'content-length': '3' }, 'ok'))).to.throw(TypeError, '2 bytes');
      expect(() => written(message({ 'content-length': '2', 'Content-Length': '2' }, 'ok'))).to.throw(TypeError);
      expect(() => written(message({ 'transfer-encoding': 'chunked' }, 'ok'))).to.throw(TypeError);
    });
    it('throws for whatever would inject a line', () => {
      const attempts: [Record<string, string>, string?][] = [
        [{ a: 'b\r\nc: d' }],
        [{ a: 'b\n' }],
        [{ a: 'b\r' }],
        [{ a: 'b\0' }],
        [{ 'a\r\nb': 'c' }],
        [{ 'a b': 'c' }],
        [{ '': 'c' }],
        [{ 'a:b': 'c' }],
        [JSON.parse('{"__proto__":"x"}') as Record<string, string>],
        [{}, 'GET /\r\nx: y'],
        [{}, 'x: y'],
        [{}, 'x : y'],
        [{}, ' x'],
        [{}, ''],
      ];
      for (const [headers, start] of attempts)
        expect(() => written(message(headers, '', start)), JSON.stringify([headers, start])).to.throw(TypeError);
    });
    it('throws for header values and bodies of other types', () => {
      expect(() => written(message({ a: 1 as unknown as string }, ''))).to.throw(TypeError, 'a is not a string');
      expect(() => written({ headers: {}, body: {} as Buffer })).to.throw(TypeError, 'object');
    });
    it('leaves the Content-Length off in datagrams', () => {
      expect(encoded(headerAndBody().whole!, message({ a: 'b' }, 'body')).toString()).to.equal('a: b\r\n\r\nbody');
    });
  });
});
