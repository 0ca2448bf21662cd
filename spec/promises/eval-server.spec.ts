import { expect } from 'chai';
import { holdExamplePorts, processesOf, tcpClient, waitFor, type Script } from '../kit/index.js';
import { ask, ESCAPE, PORT, startEvalServer } from './support/eval-server.js';

function workersOf(server: Script): readonly number[] {
  return processesOf(server.pid)
    .filter(({ command }) => /worker-main|^packet-ts /.test(command))
    .map(({ pid }) => pid);
}

describe('the eval server', function () {
  let server: Script;

  before(holdExamplePorts);
  before(async () => {
    server = await startEvalServer();
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

  it('finds a stopped busy worker and mends it', async () => {
    const client = await tcpClient(PORT);
    expect(await ask(client, `p = ${ESCAPE}; p.kill(p.pid, 'SIGSTOP')`)).to.match(/^Worker(Crashed|Timeout)Error: /);
    expect(await ask(client, '1+1')).to.equal('2');
    await client.destroy();
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
