import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { atEnd, needsProgram, spawnProgram, waitFor } from '../kit/index.js';
import { fixture } from './kit.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

describe('packet-ts run as a service of systemd', function () {
  this.timeout(300_000);
  if (!needsProgram('nc', 'systemd-notify')) return;

  it('says READY and WATCHDOG for its application, RELOADING and READY around a reload, and STOPPING at the very end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-service-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const socket = join(folder, 'socket');
    const said = spawnProgram('nc', ['-k', '-l', '-U', '-u', socket]);
    await waitFor(() => existsSync(socket));
    const words = (): string[] => said.stdout.text.match(/READY=1|RELOADING=1|STOPPING=1/g) ?? [];
    // As systemd does: WATCHDOG_PID is that of the process that it started.
    const service = spawnProgram('sh', ['-c', `WATCHDOG_PID=$$ exec "$0" ${MAIN} run ${fixture('web.module.js')}`, process.execPath], {
      env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '500000', XDG_RUNTIME_DIR: folder },
    });
    await waitFor(() => words().length === 1, { within: '60s', what: 'READY=1' });
    await waitFor(() => said.stdout.text.includes('WATCHDOG=1'), { within: '60s', what: 'WATCHDOG=1' });
    service.kill('SIGHUP');
    const line = await service.errorLine(/reloaded: process/, { within: '60s' });
    // Of the new process, and of the command.
    await waitFor(() => words().length === 4, { within: '60s', what: 'READY=1 after the reload' });
    expect(said.stdout.text).to.match(/RELOADING=1\nMONOTONIC_USEC=\d+/);
    const old = `/proc/${/from (\d+)/.exec(line)![1]}`;
    await waitFor(() => !existsSync(old), { within: '60s', what: 'the old process to end' });
    expect(words()).not.to.include('STOPPING=1');
    service.kill('SIGTERM');
    expect((await service.exit({ within: '60s' })).code).to.equal(0);
    await waitFor(() => words().includes('STOPPING=1'), { within: '60s', what: 'STOPPING=1' });
    const [first, reloading, ...others] = words();
    expect([first, reloading]).to.deep.equal(['READY=1', 'RELOADING=1']);
    expect(others.filter(word => word === 'READY=1')).to.have.lengthOf(2);
    // The process that was replaced says nothing; the other one does, once.
    expect(others.filter(word => word === 'STOPPING=1')).to.have.lengthOf(1);
  });
});
