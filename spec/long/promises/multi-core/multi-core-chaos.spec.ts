import { expect } from 'chai';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { processesOf, spawnScript, tcpClient, waitFor, type Script } from '../../../kit/index.js';

const MAIN = new URL('../../../fixtures/connections/edge.main.js', import.meta.url);

function workersOf(server: Script): readonly number[] {
  return processesOf(server.pid)
    .filter(({ command, state }) => /packet-ts (?:shared_)?edge$/.test(command) && state !== 'Z')
    .map(({ pid }) => pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was quicker.
  }
}

const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** One request, to its end: 'answered', or 'closed'. Never both, and never neither. */
function request(port: number): Promise<'answered' | 'closed'> {
  return new Promise(resolve => {
    let answer = '';
    const socket: Socket = connect(port, '127.0.0.1', () => socket.end('pid\n'));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => {});
    socket.on('close', () => resolve(/^\d+\n$/.test(answer) ? 'answered' : 'closed'));
  });
}

for (const mode of ['master', 'shared'] as const) {
  describe(`connections while their workers are killed, accept: '${mode}'`, function () {
    let server: Script;
    let port: number;

    before(async () => {
      server = spawnScript(MAIN, [mode], { detached: true });
      port = Number(/\d+/.exec(await server.line(/^port/))![0]);
      // Grown to its full size, which the descriptors at the end are compared with.
      const clients = await Promise.all([1, 2, 3, 4].map(() => tcpClient(port)));
      await waitFor(() => workersOf(server).length === 2, { within: '10s' });
      await Promise.all(clients.map(client => client.destroy()));
    });
    after(() => server[Symbol.asyncDispose]());

    it('are answered or closed, none hangs, and no descriptor stays behind', async () => {
      const before = descriptorsOf(server.pid);
      const outcomes: string[] = [];
      let kills = 0;
      for (let wave = 0; wave < 30; wave++) {
        const requests = Array.from({ length: 20 }, () => request(port).then(outcome => outcomes.push(outcome)));
        if (wave % 4 === 1) {
          const victim = workersOf(server)[0];
          if (victim !== undefined) {
            kill(victim);
            kills++;
          }
        }
        await Promise.all(requests);
      }
      expect(outcomes).to.have.length(600);
      expect(kills).to.be.greaterThan(4);
      // What a process was just serving when it died is lost with it, and nothing else.
      expect(outcomes.filter(outcome => outcome === 'answered').length).to.be.greaterThan(450);
      await waitFor(() => workersOf(server).length === 2, { within: '10s' });
      await waitFor(() => descriptorsOf(server.pid) <= before, {
        within: '5s',
        what: () => `${descriptorsOf(server.pid)} descriptors to be ${before}`,
      });
      const [first] = workersOf(server);
      const client = await tcpClient(port);
      await client.send('fds\n');
      expect(Number(await client.line()), `in worker ${first}`).to.be.below(40);
      await client.destroy();
    });

    it('are served by the others when one is stopped', async () => {
      const [victim] = workersOf(server);
      process.kill(victim!, 'SIGSTOP');
      try {
        const outcomes = await Promise.all(Array.from({ length: mode === 'master' ? 40 : 1 }, () => request(port)));
        expect(outcomes.every(outcome => outcome === 'answered')).to.equal(true);
      } finally {
        // It may have been killed for not answering.
        if (workersOf(server).includes(victim!)) process.kill(victim!, 'SIGCONT');
      }
      await waitFor(() => request(port).then(outcome => outcome === 'answered'));
    });

    it('end with the master, however it goes, and the port is free', async () => {
      const workers = workersOf(server);
      expect(workers.length).to.be.greaterThan(0);
      const client = await tcpClient(port);
      await client.send('pid\n');
      await client.line();
      server.kill('SIGKILL');
      await client.all({ within: '5s' });
      await waitFor(() => workers.every(pid => processesOf(process.pid, 'PACKET_TS_SPEC_RUN').every(info => info.pid !== pid)), {
        within: '5s',
      });
      // A process that was being started has the socket until it sees that its master is gone.
      const refusal = (): Promise<string | undefined> =>
        tcpClient(port).then(
          stranger => void stranger.destroy(),
          (error: NodeJS.ErrnoException) => error.code,
        );
      await waitFor(async () => (await refusal()) === 'ECONNREFUSED', { within: '2s' });
    });
  });
}
