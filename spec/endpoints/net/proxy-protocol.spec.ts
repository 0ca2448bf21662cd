import { expect } from 'chai';
import fc from 'fast-check';
import { parseProxyHeader, type ProxyHeader } from '../../../src/endpoints/net/proxy-protocol.js';
import { ProxyProtocolError } from '../../../src/errors.js';
import { proxyBinary, proxyHeader, proxyLine, tlv } from '../../kit/clients/proxy-header.js';

const FROM = { address: '203.0.113.7', port: 50_000 };
const TO = { address: '192.0.2.1', port: 443 };
const FROM6 = { address: '2001:db8::7', port: 50_000 };
const TO6 = { address: '2001:db8:1:2:3:4:5:6', port: 443 };

const parse = (bytes: string | Buffer): ProxyHeader | undefined => parseProxyHeader(Buffer.from(bytes as string, 'latin1'));
const path = (text: string): Buffer => Buffer.concat([Buffer.from(text), Buffer.alloc(108 - Buffer.byteLength(text))]);

const GOOD: Record<string, readonly [string | Buffer, ProxyHeader['client']]> = {
  'a line for IPv4': [proxyLine(FROM, TO), { source: FROM, destination: TO }],
  'a line for IPv6, written long': [
    'PROXY TCP6 2001:0DB8:0:0:0:0:0:7 2001:db8:1:2:3:4:5:6 50000 443\r\n',
    { source: FROM6, destination: TO6 },
  ],
  'the longest line for IPv6': [
    `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
    {
      source: { address: `${'ffff:'.repeat(7)}ffff`, port: 65_535 },
      destination: { address: `${'ffff:'.repeat(7)}ffff`, port: 65_535 },
    },
  ],
  'a line that does not know': ['PROXY UNKNOWN\r\n', undefined],
  'a line that does not know and says more': [`PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`, undefined],
  'a binary one for IPv4': [proxyBinary(FROM, TO), { source: FROM, destination: TO }],
  'a binary one for IPv6': [proxyBinary(FROM6, TO6), { source: FROM6, destination: TO6 }],
  'a binary one for a datagram': [proxyHeader(0x21, 0x12, proxyBinary(FROM, TO).subarray(16)), { source: FROM, destination: TO }],
  'a binary one with more behind the addresses': [
    proxyBinary(FROM, TO, Buffer.concat([tlv(1, 'h2'), tlv(2, 'a.example'), tlv(0xea, Buffer.alloc(1_000))])),
    { source: FROM, destination: TO },
  ],
  'a binary one for unix sockets': [
    proxyHeader(0x21, 0x31, Buffer.concat([path('/run/client.sock'), path('/run/server.sock')])),
    { source: { path: '/run/client.sock' }, destination: { path: '/run/server.sock' } },
  ],
  'a path as long as there is room': [
    proxyHeader(0x21, 0x31, Buffer.concat([Buffer.alloc(108, 'p'), path('')])),
    { source: { path: 'p'.repeat(108) }, destination: { path: '' } },
  ],
  'a health check, which says nothing of a client': [proxyHeader(0x20, 0x00, Buffer.alloc(0)), undefined],
  'a health check with addresses that do not count': [proxyHeader(0x20, 0xff, Buffer.alloc(40)), undefined],
  'a binary one of no family': [proxyHeader(0x21, 0x00, tlv(1, 'h2')), undefined],
};

const LINE = 'the PROXY line';
const BAD: Record<string, readonly [string | Buffer, RegExp | string]> = {
  'a request': ['GET / HTTP/1.1\r\n', 'does not begin with a PROXY header'],
  'a TLS handshake': [Buffer.from('1603010200', 'hex'), 'does not begin with a PROXY header'],
  'a word that only begins like it': ['PROXIMITY', 'does not begin with a PROXY header'],
  'small letters': ['proxy TCP4', 'does not begin with a PROXY header'],
  'a line without an end': [`PROXY TCP4 ${'1'.repeat(96)}`, 'at most 107 bytes'],
  'a line that ends too late': [`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, 'at most 107 bytes'],
  'a line that ends with LF alone': ['PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n', LINE],
  'a family that is none': ['PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n', LINE],
  'two spaces': ['PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n', LINE],
  'too few fields': ['PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n', LINE],
  'too many fields': ['PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n', LINE],
  'an address of the other family': ['PROXY TCP4 ::1 ::1 1 1\r\n', 'none of TCP4'],
  'an address that is none': ['PROXY TCP4 1.2.3.400 1.2.3.4 1 1\r\n', 'none of TCP4'],
  'an address with a zone': ['PROXY TCP6 fe80::1%lo ::1 1 1\r\n', 'none of TCP6'],
  'a port too high': ['PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n', 'a port that is none'],
  'a port with a zero before it': ['PROXY TCP4 1.2.3.4 1.2.3.4 1 01\r\n', 'a port that is none'],
  'a version to come': [proxyHeader(0x31, 0x11, Buffer.alloc(12)), 'version 3 with command 1'],
  'a command to come': [proxyHeader(0x22, 0x11, Buffer.alloc(12)), 'version 2 with command 2'],
  'a family to come': [proxyHeader(0x21, 0x41, Buffer.alloc(300)), 'of an unknown kind'],
  'a protocol to come': [proxyHeader(0x21, 0x13, Buffer.alloc(12)), 'of an unknown kind'],
  'addresses cut off': [proxyHeader(0x21, 0x21, Buffer.alloc(35)), 'too short for its addresses'],
  'a header that is too long': [proxyHeader(0x21, 0x11, Buffer.alloc(4_081)).subarray(0, 16), '4097 bytes, and 4096 are the most'],
};

describe('a PROXY header', () => {
  for (const [name, [bytes, client]] of Object.entries(GOOD)) {
    it(`is read, wherever it is cut, and what follows is left alone: ${name}`, () => {
      const header = Buffer.from(bytes as string, 'latin1');
      for (let at = 0; at < header.length; at++) expect(parseProxyHeader(header.subarray(0, at)), String(at)).to.equal(undefined);
      for (const follows of ['', 'hello', '\r\n', header]) {
        expect(parse(Buffer.concat([header, Buffer.from(follows as string)]))).to.deep.equal({ length: header.length, client });
      }
    });
  }

  for (const [name, [bytes, why]] of Object.entries(BAD)) {
    it(`is refused: ${name}`, () => {
      expect(() => parse(bytes)).to.throw(ProxyProtocolError, why);
    });
  }

  it('is refused as soon as it cannot become one', () => {
    expect(() => parse('G')).to.throw(ProxyProtocolError);
    expect(() => parse('\r\n\r\n\0\r\nQUIX')).to.throw(ProxyProtocolError);
    expect(parse('')).to.equal(undefined);
  });

  it('raises nothing but ProxyProtocolError, whatever the bytes', () => {
    const binary = fc
      .uint8Array({ maxLength: 300 })
      .map(rest => Buffer.concat([proxyHeader(0x21, 0x11, Buffer.alloc(0)).subarray(0, 12), rest]));
    const line = fc.string({ maxLength: 120 }).map(rest => Buffer.from(`PROXY TCP${rest}\r\n`));
    const any = fc.uint8Array({ maxLength: 64 }).map(bytes => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(binary, line, any), bytes => {
        try {
          const header = parseProxyHeader(bytes);
          return header === undefined || header.length <= bytes.length;
        } catch (error) {
          return error instanceof ProxyProtocolError;
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('never shows in an error what was sent', () => {
    for (const [bytes] of Object.values(BAD))
      expect(() => parse(bytes))
        .to.throw(ProxyProtocolError)
        .with.property('message')
        .that.does.not.match(/1\.2\.3|GET/);
  });
});
