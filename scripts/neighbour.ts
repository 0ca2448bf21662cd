/**
 * Measures an honest neighbour beside attacks: a client that asks a pool through a line protocol all the time, and new connections that do
 * so. Prints a table: the p99 of an answer and the longest time of a new connection, quiet and beside each attack. Exits with 1 where the
 * p99 is more than 100 ms above the quiet one, or a new connection took more than 250 ms longer than when it was quiet.
 * @example npm run neighbour · npm run neighbour -- 5 (seconds for each) · npm run neighbour -- 5 'row 10' (what begins like that)
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { cpus, loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ATTACKS, FROM_ANOTHER_ADDRESS, type Ports } from './neighbour/attacks.js';

const SECONDS = Number(process.argv[2] ?? 5);
const ONLY = process.argv[3] ?? '';
const MORE = { answer: 100, connection: 250 } as const;
/** Pauses between two questions, and between two new connections, in milliseconds. */
const PAUSE = { answer: 5, connection: 50 } as const;

interface Measured {
  readonly p99: number;
  readonly connection: number;
  readonly answers: number;
}

/** Asks once on a connection; resolves with the milliseconds that it took. */
function ask(socket: ReturnType<typeof connect>): Promise<number> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new Error('the honest neighbour was closed'));
    socket.once('close', closed);
    socket.once('data', () => {
      socket.off('close', closed);
      resolve(performance.now() - from);
    });
    socket.write('1\n');
  });
}

async function measure(port: number, localAddress: string, isOver: () => boolean): Promise<Measured> {
  const answers: number[] = [];
  const connections: number[] = [];
  const asks = async (): Promise<void> => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    await once(socket, 'connect');
    while (!isOver()) {
      answers.push(await ask(socket));
      await sleep(PAUSE.answer);
    }
    socket.destroy();
  };
  const connects = async (): Promise<void> => {
    while (!isOver()) {
      const from = performance.now();
      const socket = connect({ port, host: '127.0.0.1', localAddress });
      await ask(socket);
      connections.push(performance.now() - from);
      socket.destroy();
      await sleep(PAUSE.connection);
    }
  };
  await Promise.all([asks(), connects()]);
  answers.sort((a, b) => a - b);
  return { p99: answers[Math.floor(answers.length * 0.99)] ?? 0, connection: Math.max(...connections), answers: answers.length };
}

function during(port: number, localAddress = '127.0.0.1'): Promise<Measured> {
  const end = performance.now() + SECONDS * 1000;
  return measure(port, localAddress, () => performance.now() > end);
}

const path = (name: string): string => fileURLToPath(new URL(`./neighbour/${name}.js`, import.meta.url));
const app = spawn(process.execPath, [path('app')], { stdio: ['ignore', 'pipe', 'ignore'] });
const [line] = (await once(createInterface(app.stdout), 'line')) as [string];
const ports = JSON.parse(line) as Ports;

const row = (name: string, { p99, connection, answers }: Measured, verdict = ''): void =>
  console.log(
    `${name.padEnd(45)} ${p99.toFixed(1).padStart(10)} ${connection.toFixed(1).padStart(16)} ${String(answers).padStart(8)}  ${verdict}`,
  );
console.log(`${cpus().length} processors, load ${loadavg()[0]!.toFixed(1)}, ${SECONDS} s each`);
console.log(`${''.padEnd(45)} ${'p99, ms'.padStart(10)} ${'connection, ms'.padStart(16)} ${'answers'.padStart(8)}`);
await during(ports.Honest);
const quiet = await during(ports.Honest);
row('quiet', quiet);

let failed = 0;
for (const name of Object.keys(ATTACKS).filter(attack => attack.startsWith(ONLY))) {
  const attacker = fork(path('attacker'), [name, JSON.stringify(ports), String(SECONDS * 1000 + 1000)]);
  const ended = once(attacker, 'exit');
  await sleep(500);
  const beside = await during(ports.Honest, FROM_ANOTHER_ADDRESS.has(name) ? '127.0.0.2' : undefined);
  const isFair = beside.p99 <= quiet.p99 + MORE.answer && beside.connection <= quiet.connection + MORE.connection;
  if (!isFair) failed++;
  row(name, beside, isFair ? '' : 'too slow');
  await ended;
}
app.kill('SIGTERM');
const [code] = (await once(app, 'exit')) as [number | null];
if (code !== 0) failed++;
console.log(`exit code ${String(code)}, load ${loadavg()[0]!.toFixed(1)}`);
process.exit(failed > 0 ? 1 : 0);
