import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { Connection, inject, OnClose, OnData, OnError, Peer, type CloseReason } from 'packet-ts';
import { delimited, fixed, headerAndBody, json, lengthPrefixed, lines, netstring, objects, type Framing } from 'packet-ts/framing';
import { waitFor } from '../../kit/index.js';
import { Journal } from '../../kit/signals.js';
import { House } from '../support/house.js';

const LIMIT = 64 * 1024;

/** What is garbage is collected when it is called. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  return () => {
    gc();
    gc();
  };
}

/** A server of one framing that notes what it reads and why it closes. */
function server(framing: Framing<unknown, never>) {
  const journal = new Journal();
  const reasons: CloseReason[] = [];
  const messages: unknown[] = [];
  const state = { bytesRead: 0 };
  @Connection({ listen: 'tcp://127.0.0.1:0', framing, maxMessageSize: LIMIT })
  class Server {
    constructor(@inject(Peer) private readonly peer: Peer<unknown, never>) {}
    @OnData() data(message: unknown): void {
      messages.push(message);
    }
    @OnError() refused(): void {
      state.bytesRead = this.peer.bytesRead;
    }
    @OnClose() closed(reason: CloseReason): void {
      reasons.push(reason);
      journal.note('closed');
    }
  }
  return { cls: Server, journal, reasons, messages, state };
}

type Flood = readonly [what: string, framing: Framing<unknown, never>, start: string | Buffer, filling: string];

/** Messages without end, and lengths that nobody has. */
const ENDLESS: readonly Flood[] = [
  ['a line', lines(), '', 'x'],
  ['a line of carriage returns', lines({ delimiter: '\r\n' }), '', '\r'],
  ['a delimited message', delimited('ab'), '', 'a'],
  ['a message delimited by a pattern', delimited(/\r?\n/), '', '\r'],
  ['a length of 2³²−1', lengthPrefixed({ bytes: 4 }), Buffer.from([255, 255, 255, 255]), 'x'],
  ['a fixed length above the limit', fixed(LIMIT * 4), '', 'x'],
  ['a netstring of 99999999999 bytes', netstring(), '99999999999:', 'x'],
  ['a netstring’s length', netstring(), '', '9'],
  ['a JSON document', json(), '"', 'x'],
  ['a structured value', objects(), Buffer.from([0x7f, 255, 255, 255]), '\x91'],
  ['a header', headerAndBody(), 'a: ', 'x'],
  ['a header block', headerAndBody(), '', 'a: b\r\n'],
  ['a body by its length', headerAndBody(), 'content-length: 99999999999\r\n\r\n', 'x'],
  ['a body without a length', headerAndBody(), 'a: b\r\n\r\n', 'x'],
];

describe('unframed buffer growth, allocation from a declared length', () => {
  for (const [what, framing, start, filling] of ENDLESS) {
    it(`${what} without end is refused before twice the limit is held; others are served`, async () => {
      const { cls, journal, reasons, messages, state } = server(framing);
      const house = await House.open([cls]);
      const client = await house.connect(cls);
      const before = process.memoryUsage().arrayBuffers;
      const piece = Buffer.alloc(1440, filling);
      client.socket.write(start);
      // What the peer hears is not waited for: it floods until it is told to stop, and no longer than that.
      const flood = (): void => {
        while (!client.inbox.ended && client.socket.bytesWritten < 50 * LIMIT) if (!client.socket.write(piece)) break;
      };
      client.socket.on('drain', flood);
      flood();
      expect(await client.all()).to.equal('');
      client.end();
      await journal.has('closed');
      expect(reasons[0]).to.include({ by: 'error' });
      expect(reasons[0]!.code).to.match(/^ERR_PACKET_FRAMING/);
      expect(messages).to.deep.equal([]);
      // The limit, and what a kernel hands over at once.
      expect(state.bytesRead)
        .to.be.above(0)
        .and.at.most(LIMIT + 65_536);
      expect(process.memoryUsage().arrayBuffers - before).to.be.below(64 * 1024 * 1024);
      await house.servesOthers();
    });
  }
});

describe('tiny-fragment overhead', () => {
  it('a message that dribbles in byte by byte costs less than four times its limit, in memory', async () => {
    const gc = collector();
    const { cls } = server(lines());
    const house = await House.open([cls]);
    const client = await house.connect(cls);
    await house.servesOthers();
    gc();
    const before = process.memoryUsage();
    for (let sent = 1; sent < LIMIT; sent++) {
      // A turn of the loop now and then, so that the kernel does not join them all.
      if (client.socket.write('x') && sent % 16 !== 0) continue;
      await new Promise<void>(resolve => setImmediate(resolve));
    }
    const [victim] = house.app.reactor.connections(cls);
    await waitFor(() => victim!.peer.bytesRead === LIMIT - 1);
    gc();
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).to.be.below(4 * LIMIT);
    await house.servesOthers();
  });
});

describe('unbounded nesting', () => {
  it('100 000 nested arrays of JSON are refused, and 100 are not', async () => {
    for (const [depth, accepted] of [
      [100, true],
      [101, false],
      [30_000, false],
    ] as const) {
      const { cls, journal, reasons, messages } = server(json());
      const house = await House.open([cls]);
      const client = await house.connect(cls);
      await client.send(`${'['.repeat(depth)}${']'.repeat(depth)}\n`);
      client.end();
      await journal.has('closed');
      expect(messages).to.have.length(accepted ? 1 : 0);
      expect(reasons[0]!.by).to.equal(accepted ? 'peer' : 'error');
      await house.servesOthers();
    }
  });

  it('100 000 nested structured values are refused', async () => {
    const { cls, journal, reasons, messages } = server(objects());
    const house = await House.open([cls]);
    const client = await house.connect(cls);
    const length = Buffer.alloc(4);
    const nested = Buffer.alloc(60_000, 0x91);
    length.writeUInt32BE(nested.length);
    await client.send(Buffer.concat([length, nested]));
    client.end();
    await journal.has('closed');
    expect(messages).to.deep.equal([]);
    expect(reasons[0]).to.include({ by: 'error' });
    await house.servesOthers();
  });
});

describe('prototype poisoning', () => {
  for (const document of [
    '{"__proto__":{"admin":true}}',
    '{"a":[{"\\u005f_proto__":1}]}',
    '{"constructor":{"prototype":{"admin":true}}}',
  ]) {
    it(`the JSON document ${document} is refused`, async () => {
      const { cls, journal, messages, reasons } = server(json());
      const house = await House.open([cls]);
      const client = await house.connect(cls);
      await client.send(`${document}\n`);
      client.end();
      await journal.has('closed');
      expect(messages).to.deep.equal([]);
      expect(reasons[0]).to.include({ by: 'error' });
    });
  }

  it('headers are only what was sent, whatever they are called; __proto__ is refused', async () => {
    const { cls, messages } = server(headerAndBody());
    const house = await House.open([cls]);
    const client = await house.connect(cls);
    await client.send('constructor: b\r\ntoString: c\r\nContent-Length: 0\r\n\r\n__proto__: a\r\nContent-Length: 0\r\n\r\n');
    client.end();
    await client.all();
    expect(messages).to.have.length(1);
    const [{ headers }] = messages as [{ headers: Record<string, string> }];
    expect(Object.keys(headers).sort()).to.deep.equal(['constructor', 'content-length', 'tostring']);
    expect(Object.getPrototypeOf(headers)).to.equal(null);
    expect(({} as { admin?: unknown }).admin).to.equal(undefined);
  });
});

describe('parser differentials', () => {
  /** What a strict reader of CRLF lines makes of bytes in which others see line ends. */
  const SMUGGLED: readonly (readonly [string, readonly string[]])[] = [
    ['a\r\nb\r\n', ['a', 'b']],
    ['a\nb\r\n', ['a\nb']],
    ['a\rb\r\n', ['a\rb']],
    ['a\0b\r\n', ['a\0b']],
    ['a\r\r\nb\r\n', ['a\r', 'b']],
    ['.\n\r\n.\r\n', ['.\n', '.']],
    ['\n.\nMAIL\r\n', ['\n.\nMAIL']],
  ];
  for (const [bytes, expected] of SMUGGLED) {
    it(`lines that end in CRLF end in nothing else: ${JSON.stringify(bytes)}`, async () => {
      const { cls, messages } = server(lines({ delimiter: '\r\n' }));
      const house = await House.open([cls]);
      const client = await house.connect(cls);
      await client.send(bytes);
      client.end();
      await client.all();
      expect(messages).to.deep.equal(expected);
    });
  }

  for (const head of [
    'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello',
    'Content-Length: +5\r\n\r\nhello',
    'Content-Length: 5, 6\r\n\r\nhello!',
    'Content-Length: 0x5\r\n\r\nhello',
    'Content-Length : 5\r\n\r\nhello',
    ' folded: x\r\n\r\n',
  ]) {
    it(`a message whose length two readers could take for different ones is refused: ${JSON.stringify(head)}`, async () => {
      const { cls, journal, messages, reasons } = server(headerAndBody());
      const house = await House.open([cls]);
      const client = await house.connect(cls);
      await client.send(head);
      client.end();
      await journal.has('closed');
      expect(messages).to.deep.equal([]);
      expect(reasons[0]).to.include({ by: 'error' });
    });
  }
});

describe('command injection on output', () => {
  it('what a handler repeats of its peer’s words never becomes a line of its own', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: json<string, string>() })
    class Asks {
      readonly #lines = lines();
      @OnData() data(text: string): string {
        try {
          return Buffer.from(this.#lines.encode(text) as string).toString();
        } catch (error) {
          return (error as Error).name;
        }
      }
    }
    const house = await House.open([Asks]);
    const client = await house.connect(Asks);
    await client.send(`${JSON.stringify('plain')}\n${JSON.stringify('a\r\nQUIT')}\n${JSON.stringify('a\n')}\n`);
    expect(await client.lines(3)).to.deep.equal([JSON.stringify('plain\n'), '"TypeError"', '"TypeError"']);
  });
});
