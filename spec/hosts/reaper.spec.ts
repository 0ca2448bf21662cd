import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Reaper, shareReaper } from '../../src/hosts/reaper.js';
import { atEnd } from '../kit/cleanup.js';

const master = fileURLToPath(new URL('../kit/children/doomed-master.js', import.meta.url));

function sleeper(): ChildProcess {
  return spawn('sleep', ['60'], { stdio: 'ignore' });
}

describe('the reaper', function () {
  it('kills what is left when it is closed, but not what has ended before', async () => {
    const reaper = new Reaper();
    const [left, ended] = [sleeper(), sleeper()];
    reaper.watch(left.pid!);
    reaper.watch(ended.pid!);
    reaper.forget(ended.pid!);
    const killed = once(left, 'exit');
    await reaper.close();
    expect((await killed)[1]).to.equal('SIGKILL');
    expect(ended.signalCode).to.equal(null);
    ended.kill('SIGTERM');
    expect((await once(ended, 'exit'))[1]).to.equal('SIGTERM');
  });

  it('knows pids whose digits are part of each other', async () => {
    const reaper = new Reaper();
    const left = sleeper();
    reaper.watch(left.pid!);
    for (const other of [`1${left.pid!}`, `${left.pid!}1`, String(left.pid!).slice(1), String(left.pid!).slice(0, -1)]) {
      if (Number(other) < 10) continue;
      reaper.watch(Number(other) + 2 ** 22); // Above every pid that a system gives.
      reaper.forget(Number(other) + 2 ** 22);
    }
    const killed = once(left, 'exit');
    await reaper.close();
    expect((await killed)[1]).to.equal('SIGKILL');
  });

  it('is there again when somebody kills it while workers live', async () => {
    const reaper = new Reaper();
    const left = sleeper();
    reaper.watch(left.pid!);
    const first = reaper.pid!;
    process.kill(first, 'SIGKILL');
    while (reaper.pid === first || reaper.pid === undefined) await new Promise(setImmediate);
    const killed = once(left, 'exit');
    await reaper.close();
    expect((await killed)[1]).to.equal('SIGKILL');
  });

  it('is known not to be there where the shell may not be executed, is missing, or ends at once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-ts-spec-'));
    try {
      const forbidden = join(folder, 'sh');
      writeFileSync(forbidden, '#!/bin/sh\n', { mode: 0o600 });
      for (const shell of [forbidden, join(folder, 'none'), folder]) {
        const reaper = new Reaper(shell);
        expect(reaper.begin(), shell).to.equal(false);
        await reaper.close();
      }
      const brief = new Reaper('/bin/true');
      brief.watch(2 ** 22 + 1);
      // Each time one ends another is tried, but not without end.
      let starts = 0;
      for (let last: number | undefined; brief.begin(); await new Promise(setImmediate)) {
        if (brief.pid !== last) starts++;
        last = brief.pid;
      }
      expect(starts).to.be.within(1, 5);
      await brief.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not deterred by the signals of a terminal or a service manager', async () => {
    const reaper = new Reaper();
    const left = sleeper();
    reaper.watch(left.pid!);
    const ignored = (): number => Number.parseInt(/SigIgn:\s+(\w+)/.exec(readFileSync(`/proc/${reaper.pid!}/status`, 'latin1'))![1]!, 16);
    while ((ignored() & 0x4007) !== 0x4007) await new Promise(setImmediate);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.kill(-reaper.pid!, signal);
    const killed = once(left, 'exit');
    await reaper.close();
    expect((await killed)[1]).to.equal('SIGKILL');
  });

  it('is one for all hosts of a master, until the last gives it back', async () => {
    const [one, two] = [shareReaper(), shareReaper()];
    expect(one.reaper).to.equal(two.reaper);
    const left = sleeper();
    one.reaper.watch(left.pid!);
    const { pid } = one.reaper;
    await one.release();
    await one.release();
    expect(two.reaper.pid).to.equal(pid);
    const killed = once(left, 'exit');
    await two.release();
    await killed;
    expect(two.reaper.pid).to.equal(undefined);
  });

  describe('after kill -9 of the master', () => {
    let server: Server;
    const sockets: Socket[] = [];
    const workers = new Map<string, Promise<unknown>>();
    beforeEach(async () => {
      workers.clear();
      server = createServer(socket => {
        sockets.push(socket);
        socket.on('error', () => {});
        const gone = new Promise(resolve => socket.once('close', resolve));
        socket.once('data', data => workers.set(String(data).split(' ')[0]!, gone));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    afterEach(async () => {
      for (const socket of sockets.splice(0)) socket.destroy();
      server.close();
      await once(server, 'close');
    });

    for (const [how, shell, names] of [
      ['leaves no worker: idle, computing without end, or stopped', [], ['idle', 'computing', 'stopped']],
      ['leaves none that runs where there is no shell: each watches by itself', ['/no/such/shell'], ['idle', 'computing']],
    ] as const) {
      it(how, async () => {
        const child = spawn(process.execPath, [master, String((server.address() as AddressInfo).port), ...shell], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        atEnd(() => child.kill('SIGKILL'));
        await once(child.stdout, 'data');
        // What the last one wrote to its socket may be read after what the master printed.
        while (workers.size < names.length) await new Promise(setImmediate);
        expect([...workers.keys()]).to.have.members(names);
        child.kill('SIGKILL');
        await Promise.all(workers.values());
      });
    }
  });
});
