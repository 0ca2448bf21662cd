import { createSocket } from 'node:dgram';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.js';
import { LineReader, open, openWebSocket, portOf, type Target } from './wire.js';

/** What an actor may use. */
export interface Stage {
  readonly random: Random;
  readonly target: Target;
  /** An answer that is wrong, missing or given twice; not told of once the application closes. */
  wrong(what: string): void;
}

type Actor = (stage: Stage) => Promise<void>;

/** Errors that a call may end with while its worker is killed or stopped. */
const KNOWN = /^! (WorkerCrashedError|WorkerTimeoutError|WorkerUnavailableError|WorkerBusyError|ClosingError|WorkerRecycledError)$/;

/** A command, and what its answer must be unless it failed in a known way. */
function command(random: Random): readonly [string, string] {
  const n = random.below(1_000);
  switch (random.below(8)) {
    case 0:
      return [`wait ${n % 50}`, String(n % 50)];
    case 1:
      return [`spin ${n % 20}`, String(n % 20)];
    case 2:
      return [`echo-${n}`, `echo-${n}`];
    case 3:
      return ['throw', '! Error'];
    case 4:
      return random.below(6) === 0 ? ['crash 3', '! WorkerCrashedError'] : [`next ${n}`, String(n + 1)];
    default:
      return [`next ${n}`, String(n + 1)];
  }
}

/** Sends requests, waits for each answer or for all at the end, and looks whether they are right and in order. */
async function honest({ random, target, wrong }: Stage, halfCloses: boolean): Promise<void> {
  const url = random.pick([target.tcp, target.tls, target.unix]);
  const socket = await open(url);
  const reader = new LineReader(socket);
  const asked = Array.from({ length: random.between(1, 20) }, () => command(random));
  const answer = async ([line, expected]: readonly [string, string]): Promise<void> => {
    const got = await reader.next();
    if (got !== expected && !(got !== undefined && KNOWN.test(got))) wrong(`${url}: ${line} was answered ${String(got)}`);
  };
  if (halfCloses) {
    socket.end(asked.map(([line]) => `${line}\n`).join(''));
    for (const each of asked) await answer(each);
  } else {
    for (const each of asked) {
      socket.write(`${each[0]}\n`);
      await answer(each);
    }
    socket.end();
  }
  const rest = await reader.next();
  if (rest !== undefined) wrong(`${url}: one answer too many: ${rest}`);
  socket.destroy();
}

async function honestWebSocket({ random, target, wrong }: Stage): Promise<void> {
  const url = random.pick([target.ws, target.wss]);
  const ws = await openWebSocket(url);
  ws.setMaxListeners(0);
  for (let i = random.between(1, 10); i > 0; i--) {
    const [line, expected] = command(random);
    const answer = new Promise<string>(resolve => {
      ws.once('message', data => resolve((data as Buffer).toString()));
      if (ws.readyState === ws.OPEN) ws.once('close', () => resolve('closed'));
      else resolve('closed');
    });
    ws.send(line);
    const got = await answer;
    if (got !== expected && !KNOWN.test(got)) wrong(`${url}: ${line} was answered ${got}`);
    if (ws.readyState !== ws.OPEN) return;
  }
  ws.close();
  await new Promise<void>(resolve => (ws.readyState === ws.CLOSED ? resolve() : void ws.once('close', () => resolve())));
}

/** Reads an HTTP answer to the end of its connection. */
async function request(url: string, path: string, rest = ''): Promise<{ readonly socket: Socket; readonly text: Promise<string> }> {
  const socket = await open(url);
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', chunk => (text += String(chunk)));
  const whole = new Promise<string>(resolve => {
    socket.on('end', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
  socket.write(`${rest === '' ? 'GET' : 'POST'} /${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${rest}\r\n`);
  return { socket, text: whole };
}

async function honestHttp({ random, target, wrong }: Stage): Promise<void> {
  const url = random.pick([target.http, target.https]);
  const n = random.below(1_000);
  const { socket, text } = await request(url, `next/${n}`);
  const answer = await text;
  if (!answer.includes('HTTP/1.1 503') && !answer.includes('HTTP/1.1 50') && !answer.endsWith(`\r\n\r\n${n + 1}`))
    wrong(`${url}: next/${n} was answered ${answer}`);
  socket.destroy();
}

async function leave(random: Random, socket: Socket): Promise<void> {
  if (random.below(2) === 0) socket.destroy();
  else if ('resetAndDestroy' in socket && !('encrypted' in socket) && socket.remotePort !== undefined) socket.resetAndDestroy();
  else socket.destroy();
}

/** Leaves while calls are under way. */
async function leavesInTheMiddle({ random, target }: Stage): Promise<void> {
  const socket = await open(random.pick([target.tcp, target.tls, target.unix]));
  for (let i = random.between(1, 30); i > 0; i--) socket.write(`${command(random)[0]}\n`);
  await sleep(random.below(60));
  await leave(random, socket);
}

/** Takes a part of a large answer, slowly, and leaves. */
async function breaksDownloadOff({ random, target }: Stage): Promise<void> {
  const overHttp = random.below(2) === 0;
  const socket = overHttp
    ? (await request(random.pick([target.http, target.https]), 'large')).socket
    : await open(random.pick([target.tcp, target.tls, target.unix]));
  if (!overHttp) socket.on('data', () => {}).write('large\n');
  for (let i = random.below(12); i > 0; i--) {
    socket.pause();
    await sleep(random.between(20, 400));
    socket.resume();
    await sleep(1);
  }
  await leave(random, socket);
}

/** Subscribes, hears something or nothing, and leaves without a word; or stays longer than the application. */
async function subscribes({ random, target }: Stage): Promise<void> {
  const kind = random.below(3);
  if (kind === 0) {
    const ws = await openWebSocket(random.pick([target.ws, target.wss]));
    ws.send('events');
    await sleep(random.between(10, 4_000));
    if (random.below(2) === 0) ws.terminate();
    else ws.close();
    await new Promise<void>(resolve => (ws.readyState === ws.CLOSED ? resolve() : void ws.once('close', () => resolve())));
    return;
  }
  const socket =
    kind === 1
      ? (await request(random.pick([target.http, target.https]), 'events')).socket
      : await open(random.pick([target.tcp, target.tls]));
  if (kind === 2) socket.on('data', () => {}).write('events\n');
  await sleep(random.between(10, 4_000));
  await leave(random, socket);
}

/** Says what nobody understands, to any endpoint. */
async function talksGarbage({ random, target }: Stage): Promise<void> {
  const url = random.pick([target.tcp, target.tls, target.ws, target.http, target.https, target.unix]);
  const isSecure = url.startsWith('tls:') || url.startsWith('https:');
  const plain = isSecure && random.below(2) === 0 ? url.replace(/^\w+:/, 'tcp:') : url;
  const socket = await open(plain);
  socket.on('data', () => {});
  const start = random.pick([
    '',
    'GET / HTTP/1.1\r\n',
    'GET /lines HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n',
    '\x16\x03\x01',
  ]);
  socket.write(start);
  for (let i = random.below(4); i > 0; i--) socket.write(random.bytes(random.between(1, 2_000)));
  await sleep(random.below(300));
  if (random.below(2) === 0) socket.end();
  await sleep(random.below(300));
  socket.destroy();
}

/** Announces a body and sends a part of it. */
async function breaksUploadOff({ random, target }: Stage): Promise<void> {
  const length = random.between(10, 100_000);
  const { socket } = await request(random.pick([target.http, target.https]), 'upload', `Content-Length: ${length}\r\n`);
  socket.write(Buffer.alloc(random.below(length)));
  await sleep(random.below(200));
  await leave(random, socket);
}

async function pipelines({ random, target }: Stage): Promise<void> {
  const socket = await open(target.http);
  socket.on('data', () => {});
  for (let i = random.between(2, 60); i > 0; i--)
    socket.write(`GET /${random.pick(['next/1', 'wait/20', 'large'])} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await sleep(random.below(400));
  await leave(random, socket);
}

async function sendsDatagrams({ random, target }: Stage): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  for (let i = random.between(1, 20); i > 0; i--) socket.send(random.bytes(random.between(0, 1_000)), portOf(target.udp), '127.0.0.1');
  await sleep(random.below(50));
  await new Promise<void>(resolve => socket.close(() => resolve()));
}

/** Keeps the event loop of the application from turning for a moment. */
async function blocks({ random, target }: Stage): Promise<void> {
  const { socket, text } = await request(target.http, `block/${random.between(50, 600)}`);
  await text;
  socket.destroy();
}

/** Each as often as it is here. */
export const ACTORS: readonly Actor[] = [
  stage => honest(stage, false),
  stage => honest(stage, false),
  stage => honest(stage, true),
  honestWebSocket,
  honestHttp,
  honestHttp,
  leavesInTheMiddle,
  leavesInTheMiddle,
  breaksDownloadOff,
  subscribes,
  subscribes,
  talksGarbage,
  talksGarbage,
  breaksUploadOff,
  pipelines,
  sendsDatagrams,
  blocks,
];
