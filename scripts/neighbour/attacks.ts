import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Where the application listens, by the class of the endpoint. */
export type Ports = Readonly<Record<'Honest' | 'Sockets' | 'Web' | 'Objects' | 'Json' | 'Bodies' | 'Offended', number>>;

/** Attacks until it is over. */
type Attack = (ports: Ports, isOver: () => boolean) => Promise<void>;

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

function open(port: number): Promise<Socket> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => resolve(socket));
    socket.resume();
  });
}

/** Resolves when the system has taken the bytes, or the socket is gone. */
function write(socket: Socket, bytes: string | Uint8Array): Promise<void> {
  return new Promise(resolve => {
    if (socket.destroyed) return resolve();
    socket.once('close', () => resolve());
    socket.write(bytes, () => resolve());
  });
}

/** Sends the same again and again, on a new connection where the last one was closed. */
function repeated(port: (ports: Ports) => number, bytes: string | Uint8Array, { first = '', closes = false } = {}): Attack {
  return async (ports, isOver) => {
    let socket: Socket | undefined;
    while (!isOver()) {
      if (!socket || socket.destroyed) {
        socket = await open(port(ports));
        if (first !== '') await write(socket, first);
      }
      socket.setMaxListeners(0);
      await write(socket, bytes);
      if (closes) socket.destroy();
    }
    socket?.destroy();
  };
}

const post = (body: string): string =>
  `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

/** A regular expression whose making is not linear, as objects() would have it. */
function regExp(): Buffer {
  const source = '\\p{RGI_Emoji}'.repeat(200);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(source.length);
  const value = Buffer.concat([Buffer.of(0x97), Buffer.alloc(16), Buffer.of(0x8c), length, Buffer.from(source), Buffer.of(0x81, 0x76)]);
  return Buffer.concat([u32(value.length), value]);
}

const pings = Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from([0x89, 0x81, 0, 0, 0, 0, 0x61])));
const messages = Buffer.concat(Array.from({ length: 10_000 }, () => Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61])));
const mistakes = `[${'{},'.repeat(300_000)}{}]\n`;
/** As many objects as are taken. */
const objects = `[${'{},'.repeat(99_000)}{}]\n`;
const names = `[${Array.from({ length: 49_000 }, (_, i) => `{"${i.toString(36)}":1}`).join()}]\n`;

/** Twenty connections that attack at once. */
function twenty(attack: Attack): Attack {
  return async (...args) => void (await Promise.all(Array.from({ length: 20 }, () => attack(...args))));
}

const CROWD = 'row 5: 500 connections that call a pool';
/** Attacks beside which the neighbour has another address: within one address it is one of all its connections. */
export const FROM_ANOTHER_ADDRESS: ReadonlySet<string> = new Set([CROWD]);

/** By the row of the table of issues that describes each. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  'row 3: regular expressions in objects()': repeated(({ Objects }) => Objects, regExp()),
  'row 4: websocket frames of 7 bytes': repeated(({ Sockets }) => Sockets, messages, { first: UPGRADE }),
  'row 4: websocket pings': repeated(({ Sockets }) => Sockets, pings, { first: UPGRADE }),
  'row 4: pipelined GETs': repeated(({ Web }) => Web, GET('/').repeat(5_000)),
  'row 5: pipelined GETs that call a pool': repeated(({ Web }) => Web, GET('/pool').repeat(1_500)),
  [CROWD]: async (ports, isOver) => {
    const crowd = await Promise.all(Array.from({ length: 500 }, () => open(ports.Web)));
    const asks = async (socket: Socket): Promise<void> => {
      for (; !isOver() && !socket.destroyed; await once(socket, 'data')) socket.write(GET('/pool'));
    };
    await Promise.all(crowd.map(asks));
    for (const socket of crowd) socket.destroy();
  },
  'row 9: two bytes that are no JSON': repeated(({ Offended }) => Offended, '}\n', { closes: true }),
  'row 9: connections beyond maxConnections': async (ports, isOver) => {
    const kept = await Promise.all(Array.from({ length: 25 }, () => open(ports.Offended)));
    while (!isOver()) (await open(ports.Offended)).destroy();
    for (const socket of kept) socket.destroy();
  },
  'row 10: 300 000 mistakes in 1 MB of JSON': repeated(({ Json }) => Json, mistakes),
  'row 10: 100 000 objects in 300 KB of JSON': repeated(({ Json }) => Json, objects),
  'row 10: the same on 20 connections': twenty(repeated(({ Json }) => Json, objects)),
  'row 10: 50 000 names on 20 connections': twenty(repeated(({ Json }) => Json, names)),
  'row 10: the same as bodies on 20 connections': twenty(repeated(({ Bodies }) => Bodies, post(names))),
};
