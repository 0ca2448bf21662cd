import { expect } from 'chai';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processesOf, spawnScript, tcpClient, waitFor, type Script } from '../../kit/index.js';

const MAIN = new URL('../../fixtures/workers/journal.main.js', import.meta.url);
const CLIENTS = 200;
const REQUESTS = 100;

function workersOf(server: Script): readonly number[] {
  return processesOf(server.pid)
    .filter(({ command }) => /worker-main|^packet-ts /.test(command))
    .map(({ pid }) => pid);
}

describe('calls while workers are killed', function () {
  let folder: string;
  let journal: string;
  let server: Script;
  let port: number;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'journal-'));
    journal = join(folder, 'journal');
    server = spawnScript(MAIN, [], { env: { JOURNAL: journal, PACKET_LOG: 'fatal' }, detached: true });
    port = Number(/\d+/.exec(await server.line(/^port/))![0]);
  });

  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it('are answered right, in order, or fail as crashed; none is run twice and none is lost', async () => {
    let kills = 0;
    let done = false;
    const load = Promise.all(
      Array.from({ length: CLIENTS }, async (_, c) => {
        const client = await tcpClient(port);
        await client.send(Array.from({ length: REQUESTS }, (_, r) => `${c}.${r}\n`).join(''));
        const answers = await client.lines(REQUESTS, { within: '40s' });
        await client.destroy();
        return answers;
      }),
    ).finally(() => (done = true));
    // The kills follow the load's own progress: one each time another share of it has been entered.
    for (let share = 1; !done; share += 1) {
      await waitFor(() => done || entries(journal).length > (share * CLIENTS * REQUESTS) / 12, { within: '40s' });
      const victim = workersOf(server)[0];
      if (done || victim === undefined) continue;
      if (kill(victim)) kills += 1;
    }
    const answers = await load;
    const entered = entries(journal);
    const ran = new Set(entered);
    expect(ran.size, 'no id twice in the journal').to.equal(entered.length);
    expect(kills).to.be.greaterThan(2);
    let crashed = 0;
    let neverBegun = 0;
    for (const [c, lines] of answers.entries()) {
      expect(lines).to.have.length(REQUESTS);
      for (const [r, line] of lines.entries()) {
        const id = `${c}.${r}`;
        if (line === id) {
          expect(ran.has(id), id).to.equal(true);
          continue;
        }
        expect(line).to.match(/^WorkerCrashedError: /);
        crashed += 1;
        if (!ran.has(id)) neverBegun += 1;
      }
    }
    expect(crashed).to.be.at.most(CLIENTS * REQUESTS * 0.05);
    expect(neverBegun, 'per kill at most one group of 16').to.be.at.most(kills * 16);
    const client = await tcpClient(port);
    await client.send('afterwards\n');
    expect(await client.line({ within: '1s' })).to.equal('afterwards');
  });

  for (const [name, signal, group] of [
    ['Ctrl-C, which reaches the whole group', 'SIGINT', true],
    ['SIGTERM', 'SIGTERM', false],
  ] as const) {
    it(`started and queued ones finish at ${name}; the exit code is 0 and no process is left`, async () => {
      const clients = await Promise.all(Array.from({ length: 20 }, () => tcpClient(port)));
      for (const [c, client] of clients.entries()) await client.send(`${c} 20\n`);
      // Some have run: by then every line has been read, and the rest are queued.
      await waitFor(() => entries(journal).length >= 6);
      const workers = workersOf(server);
      server.kill(signal, { group });
      for (const [c, client] of clients.entries()) expect((await client.all({ within: '10s' })).trim()).to.equal(String(c));
      expect(await server.exit()).to.deep.equal({ code: 0, signal: null });
      await waitFor(() => workers.every(pid => !isAlive(pid)), { what: 'the workers to be gone' });
    });
  }

  it('leave no process behind when the master is killed, be it computing or stopped', async () => {
    const client = await tcpClient(port);
    const other = await tcpClient(port);
    await client.send('spin 60000\n');
    await other.send('spin 60000\n');
    // Both computing, so that both had been told of: their titles come with the first message of the master.
    const workers = await waitFor(() => {
      const found = processesOf(server.pid).filter(({ command, state }) => command.startsWith('packet-ts ') && state === 'R');
      return found.length === 2 && found.map(({ pid }) => pid);
    });
    process.kill(workers[1]!, 'SIGSTOP');
    server.kill('SIGKILL');
    await waitFor(() => workers.every(pid => !isAlive(pid)), { within: '2s', what: 'the workers to be gone' });
  });
});

function entries(journal: string): readonly string[] {
  try {
    return readFileSync(journal, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

/** It may have gone by itself in this very moment. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
