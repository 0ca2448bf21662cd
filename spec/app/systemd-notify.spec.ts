import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { SystemdNotifier } from '../../src/app/systemd-notify.js';
import { FakeClock } from '../../src/testing/fake-clock.js';
import { atEnd, needsProgram, spawnProgram, spawnScript, waitFor, type Script } from '../kit/index.js';

/** A socket as systemd has one: what services say comes out line by line. */
async function manager(): Promise<{ readonly socket: string; readonly said: Script }> {
  const folder = mkdtempSync(join(tmpdir(), 'notify-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'socket');
  const said = spawnProgram('nc', ['-k', '-l', '-U', '-u', socket]);
  await waitFor(() => existsSync(socket));
  return { socket, said };
}

function notifier(env: NodeJS.ProcessEnv, clock: FakeClock, warnings: string[] = []): SystemdNotifier | undefined {
  return SystemdNotifier.from({ env, pid: process.pid, clock, warn: message => warnings.push(message) });
}

describe('what systemd is told', () => {
  it('is nothing where the process is no service', () => {
    expect(notifier({}, new FakeClock())).to.equal(undefined);
  });

  it('leaves the watchdog of another process alone', async () => {
    const clock = new FakeClock();
    const systemd = notifier({ NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }, clock)!;
    systemd.ready(() => true);
    expect(clock.pending).to.equal(0);
    await systemd.end();
  });

  it('warns once where it cannot be told', async () => {
    const warnings: string[] = [];
    const systemd = notifier({ PATH: '', NOTIFY_SOCKET: '/nowhere' }, new FakeClock(), warnings)!;
    systemd.ready(() => true);
    systemd.stopping();
    await systemd.end();
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.include('READY=1').and.include('systemd-notify');
  });
});

describe('systemd itself', () => {
  if (!needsProgram('nc', 'systemd-notify')) return;

  it('is told that the application is ready, lives and stops, in this order', async () => {
    const { socket, said } = await manager();
    const clock = new FakeClock();
    const env: NodeJS.ProcessEnv = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '20000000', WATCHDOG_PID: String(process.pid) };
    const systemd = notifier(env, clock)!;
    expect(env).to.not.have.any.keys('NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID');
    let isLive = true;
    systemd.ready(() => isLive);
    await clock.advance('10s');
    isLive = false;
    await clock.advance('10s');
    systemd.stopping();
    await systemd.end();
    expect(clock.pending).to.equal(0);
    await waitFor(() => said.stdout.text.includes('STOPPING=1'));
    expect(said.stdout.text.match(/READY=1|WATCHDOG=1|STOPPING=1/g)).to.deep.equal(['READY=1', 'WATCHDOG=1', 'STOPPING=1']);
  });

  it('comes from a program as it starts and stops', async function () {
    this.slow(5000);
    const { socket, said } = await manager();
    const script = spawnScript(new URL('../fixtures/start/delayed.main.js', import.meta.url), [], { env: { NOTIFY_SOCKET: socket } });
    await waitFor(() => said.stdout.text.includes('READY=1'), { within: '10s' });
    script.kill('SIGTERM');
    await waitFor(() => said.stdout.text.includes('STOPPING=1'), { within: '10s' });
    script.kill('SIGINT');
    await script.exit();
  });
});
