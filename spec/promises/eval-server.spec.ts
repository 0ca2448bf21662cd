import { expect } from 'chai';
import { processesOf, spawnScript, tcpClient, waitFor, type Script, type TcpClient } from '../kit/index.js';

const MAIN = new URL('../../examples/eval-server/main.js', import.meta.url);
const PORT = 11_006;

function workersOf(server: Script): readonly number[] {
  return processesOf(server.pid)
    .filter(({ command }) => /worker-main|^packet-ts /.test(command))
    .map(({ pid }) => pid);
}

async function ask(client: TcpClient, source: string): Promise<string> {
  await client.send(`${source}\n`);
  return client.line({ within: '10s' });
}

/** What reaches the worker's own process from inside the vm: it is no wall, which is why there is a process around it. */
const ESCAPE = `this.constructor.constructor('return process')()`;

describe('the eval server', function () {
  let server: Script;

  before(async () => {
    server = spawnScript(MAIN);
    await server.line(/11006/);
  });

  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  it('answers an expression and ends when the client has half-closed, as `printf | nc -N` does', async () => {
    const client = await tcpClient(PORT);
    client.end('1+1\n');
    expect(await client.all({ within: '20s' })).to.equal('2\n');
  });

  it('brings objects, arrays, maps, errors, undefined, long strings and unicode back, one line each', async () => {
    const client = await tcpClient(PORT);
    expect(await ask(client, '({ a: 1, b: [1, 2, { c: 3 }] })')).to.equal('{ a: 1, b: [ 1, 2, { c: 3 } ] }');
    expect(await ask(client, '[1,2,3].map(n => n * n)')).to.equal('[ 1, 4, 9 ]');
    expect(await ask(client, 'new Map([["k", 1]])')).to.match(/Map\(1\) \{ 'k' => 1 \}/);
    expect(await ask(client, 'new TypeError("no")')).to.match(/^TypeError: no/);
    expect(await ask(client, 'undefined')).to.equal('undefined');
    expect(await ask(client, `'x'.repeat(200000)`)).to.have.length(200_002);
    expect(await ask(client, `'žluťoučký 🐎 ' + "\\u6f22"`)).to.equal(`'žluťoučký 🐎 漢'`);
    await client.destroy();
  });

  it('answers a syntax error with one line, and the connection lives', async () => {
    const client = await tcpClient(PORT);
    await client.send('1 +\n1+1\n');
    expect(await client.line()).to.match(/^SyntaxError: /);
    expect(await client.line()).to.equal('2');
    await client.destroy();
  });

  it('ends an endless loop after its timeout; others are answered meanwhile and the process is replaced', async () => {
    const before = workersOf(server);
    const looping = await tcpClient(PORT);
    const other = await tcpClient(PORT);
    // Two processes are ready: each client is answered by another one while both compute.
    const pidOf = `for (e = Date.now() + 100; Date.now() < e;); ${ESCAPE}.pid`;
    await waitFor(async () => new Set(await Promise.all([ask(looping, pidOf), ask(other, pidOf)])).size === 2);
    const order: string[] = [];
    await looping.send('while(true){}\n');
    const [answer, end] = await Promise.all([
      ask(other, '1+1').finally(() => order.push('other')),
      looping.line().finally(() => order.push('loop')),
    ]);
    expect(answer).to.equal('2');
    expect(end).to.match(/^WorkerTimeoutError: /);
    expect(order).to.deep.equal(['other', 'loop']);
    expect(await ask(looping, '2+2')).to.equal('4');
    await waitFor(() => workersOf(server).some(pid => !before.includes(pid)), { what: 'the replacement' });
    await looping.destroy();
    await other.destroy();
  });

  it('serves after twenty endless loops in a row', async () => {
    const client = await tcpClient(PORT);
    for (let i = 0; i < 20; i++) {
      expect(await ask(client, 'while(true){}')).to.match(/^WorkerTimeoutError: /);
    }
    expect(await ask(client, '1+1')).to.equal('2');
    await client.destroy();
  });

  const ends: readonly (readonly [string, string, RegExp])[] = [
    ['process.exit()', `${ESCAPE}.exit(7)`, /^WorkerCrashedError: .*exit code 7/],
    ['process.abort()', `${ESCAPE}.abort()`, /^WorkerCrashedError: .*SIGABRT/],
    ['SIGKILL', `p = ${ESCAPE}; p.kill(p.pid, 'SIGKILL')`, /^WorkerCrashedError: .*SIGKILL/],
    ['heap exhaustion', `a = []; for (;;) a.push(new Array(1000).fill(a.length))`, /^Worker(Crashed|Timeout)Error: /],
    [
      '1 GB of buffers',
      `B = this.constructor.constructor('return Buffer')(); a = []; for (;;) a.push(B.alloc(1 << 24, 1))`,
      /^Worker(Crashed|Timeout)Error: /,
    ],
  ];
  for (const [what, source, answer] of ends) {
    it(`outlives ${what} in a worker: the caller is told, the master stays, the next call works`, async () => {
      const client = await tcpClient(PORT);
      expect(await ask(client, source)).to.match(answer);
      expect(await ask(client, '1+1')).to.equal('2');
      expect(server.running).to.equal(true);
      await client.destroy();
    });
  }

  it('loses no call when an idle worker is killed', async () => {
    const client = await tcpClient(PORT);
    for (let round = 0; round < 10; round++) {
      // One that has answered: a process killed while it starts counts as a failed start.
      process.kill(Number(await ask(client, `${ESCAPE}.pid`)), 'SIGKILL');
      expect(await ask(client, '1+1')).to.equal('2');
    }
    await client.destroy();
  });

  it('finds a stopped busy worker and mends it', async () => {
    const client = await tcpClient(PORT);
    expect(await ask(client, `p = ${ESCAPE}; p.kill(p.pid, 'SIGSTOP')`)).to.match(/^Worker(Crashed|Timeout)Error: /);
    expect(await ask(client, '1+1')).to.equal('2');
    await client.destroy();
  });

  it('answers 200 clients with 100 pipelined requests each: right, in order, none lost, none crossed', async () => {
    await Promise.all(
      Array.from({ length: 200 }, async (_, c) => {
        const client = await tcpClient(PORT);
        await client.send(Array.from({ length: 100 }, (_, r) => `${c} * 1000 + ${r}\n`).join(''));
        expect(await client.lines(100, { within: '50s' })).to.deep.equal(Array.from({ length: 100 }, (_, r) => String(c * 1000 + r)));
        await client.destroy();
      }),
    );
  });

  it('leaves no process behind when it is told to stop', async () => {
    const workers = workersOf(server);
    expect(workers.length).to.be.greaterThan(0);
    server.kill('SIGTERM');
    expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
    await waitFor(() => workers.every(pid => !isAlive(pid)), { within: 2_000 });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
