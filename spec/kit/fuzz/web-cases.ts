import type { Random } from '../random.js';

/** How a client leaves. */
export type Leave = 'finish' | 'reset' | 'answer' | 'stay';

/** One hostile client: what it sends, piece by piece, and how it leaves then. */
export interface WebCase {
  readonly pieces: readonly Buffer[];
  readonly leave: Leave;
}

const LEAVES: readonly Leave[] = ['finish', 'reset', 'reset', 'answer', 'answer', 'stay'];
const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE', 'CONNECT', 'PRI', 'get', 'M-SEARCH', ''];
const TARGETS = [
  '/',
  '/fast',
  '/slow',
  '/large',
  '/stream',
  '/call',
  '/hold',
  '/json',
  '/chat',
  '/fail',
  '*',
  'http://a/fast',
  '//a/',
  '/%',
  '/\0',
  'a:1',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1'];
const HEADERS = [
  'Connection: close',
  'Connection: keep-alive',
  'Connection: Upgrade, close',
  'Expect: 100-continue',
  'Expect: nothing',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: -1',
  'Content-Length: 99999999999',
  'Host: b',
  'Host: \x7f',
  'X: y',
  'X :y',
  ' folded',
  'Upgrade: h2c',
  'Upgrade: websocket',
  'Origin: http://evil.example',
  'Sec-WebSocket-Protocol: a, b',
  `Long: ${'x'.repeat(5_000)}`,
];
const BODIES = [
  '',
  '',
  '',
  'large',
  '5\r\nlarge\r\n0\r\n\r\n',
  '5\r\nlarge\r\n',
  'ffffffffff\r\n',
  '0\r\nTrailer: x\r\n\r\n',
  'x'.repeat(3_000),
  'x'.repeat(20_000),
];
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

function request(random: Random): string {
  const headers = Array.from({ length: random.below(4) }, () => `${random.pick(HEADERS)}\r\n`).join('');
  const host = random.percent(90) ? 'Host: 127.0.0.1\r\n' : '';
  const upgrade = random.percent(15) ? UPGRADE : '';
  const head = `${random.pick(METHODS)} ${random.pick(TARGETS)} ${random.pick(VERSIONS)}\r\n${host}${headers}${upgrade}\r\n`;
  return head + random.pick(BODIES);
}

const GOOD = [
  'GET /fast HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  'GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  'GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  'GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  'GET /call HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  'POST /fast HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlarge\r\n0\r\n\r\n',
  'POST /fast HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nlarge',
  'GET /hold HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
];
/** Requests that wait at the gate of the event loop. */
const LARGE = [
  `POST /fast HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 20000\r\n\r\n${'x'.repeat(20_000)}`,
  `POST /json HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 40001\r\n\r\n[${'{"a":1},'.repeat(5_000)}`.slice(0, -1) + ']',
];
const ALL = [...GOOD, ...LARGE];

function pipeline(random: Random): string {
  const count = random.pick([1, 1, 2, 3, 5, 20, 60]);
  return Array.from({ length: count }, () => random.pick(ALL)).join('');
}

const SIZES = [0, 1, 5, 125, 126, 127, 300, 65_535, 65_536, 70_000];

/** A frame, masked by a client that may do it wrong. */
function frame(random: Random): Buffer {
  const size = random.percent(85) ? random.below(20) : random.pick(SIZES);
  const opcode = random.pick([0, 1, 1, 2, 2, 8, 9, 10, 3, 15]);
  const first = (random.percent(85) ? 0x80 : 0) | (random.percent(3) ? 0x40 : 0) | opcode;
  const masked = random.percent(97) ? 0x80 : 0;
  const head =
    size < 126
      ? Buffer.from([first, masked | size])
      : size < 65_536
        ? Buffer.from([first, masked | 126, size >> 8, size & 255])
        : Buffer.from([first, masked | 127, 0, 0, 0, 0, 0, size >> 16, (size >> 8) & 255, size & 255]);
  const payload = Buffer.alloc(size, random.pick(['x', '\n', '\xff', '{"a":1}\n', 'large\n', 'hold\n']));
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

function websocket(random: Random): Buffer {
  const frames = Array.from({ length: random.pick([0, 1, 3, 10, 400]) }, () => frame(random));
  const before = random.percent(20) ? pipeline(random) : '';
  return Buffer.concat([Buffer.from(`${before}GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\n${UPGRADE}\r\n`), ...frames]);
}

/** Changes, drops or doubles a few bytes. */
function mutated(bytes: Buffer, random: Random): Buffer {
  let result = bytes;
  for (let times = random.below(4); times > 0 && result.length > 0; times--) {
    const at = random.below(result.length);
    const [before, after] = [result.subarray(0, at), result.subarray(at + random.below(3))];
    result = Buffer.concat([before, Buffer.from(Array.from({ length: random.below(4) }, () => random.below(256))), after]);
  }
  return result;
}

function cutUp(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + 1 + random.below(random.pick([3, 100, 100_000])));
    // Byte by byte a long one would take for ever.
    pieces.push(bytes.subarray(at, pieces.length > 50 ? bytes.length : end));
    at = pieces.length > 50 ? bytes.length : end;
  }
  return pieces;
}

/** A client of an http endpoint. */
export function httpCase(random: Random): WebCase {
  const kind = random.below(3);
  const text = kind === 0 ? request(random) : kind === 1 ? pipeline(random) : Array.from({ length: 3 }, () => request(random)).join('');
  return finish(Buffer.from(text, 'latin1'), random);
}

/** A client of a websocket endpoint. */
export function websocketCase(random: Random): WebCase {
  return finish(websocket(random), random);
}

function finish(bytes: Buffer, random: Random): WebCase {
  const changed = random.percent(40) ? mutated(bytes, random) : bytes;
  // In half of the cases it breaks off somewhere.
  const cut = random.percent(50) ? changed.subarray(0, random.below(changed.length + 1)) : changed;
  return { pieces: cutUp(cut, random), leave: random.pick(LEAVES) };
}

/** Breaks an honest conversation off behind each of its bytes, once by finishing and once by a reset. */
export function* brokenOff(every: number): Iterable<WebCase> {
  const conversations = [
    GOOD.join(''),
    `${GOOD[0]}${GOOD[5]}GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    `${GOOD[0]}GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\n${UPGRADE}\r\n\x81\x85\0\0\0\0hello\x01\x82\0\0\0\0ab\x80\x81\0\0\0\0c\x89\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xe8`,
  ];
  for (const text of conversations) {
    const bytes = Buffer.from(text, 'latin1');
    for (let end = 1; end <= bytes.length; end += every)
      for (const leave of ['finish', 'reset'] as const) yield { pieces: [bytes.subarray(0, end)], leave };
  }
}
