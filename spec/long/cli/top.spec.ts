import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { screenOf } from '../../../src/cli/top/screen.js';
import { atEnd, tcpClient } from '../../kit/index.js';
import { fixture, outcomeOf, packetTs } from '../../cli/kit.js';

describe('packet-ts top', function () {
  this.timeout(60_000);

  it('shows listeners, connections and pools of a running command', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-top-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const env = { XDG_RUNTIME_DIR: folder };
    const script = packetTs(['run', fixture('web.module.js')], { env });
    const line = await script.errorLine(/"handler":"Line".*"port":\d+/, { within: '20s' });
    const client = await tcpClient(Number(/"port":(\d+)/.exec(line)![1]));
    await client.send('who\n');
    const pid = await client.line({ within: '10s' });
    const { code, out } = await outcomeOf(['top'], { env });
    expect(code).to.equal(0);
    expect(out).to.match(new RegExp(`^packet-ts {2}pid ${pid} {2}up \\d+ s`));
    expect(out).to.match(/Line on tcp:\/\/127\.0\.0\.1:\d+: 1\n/);
    expect(out).to.match(/^POOL +STATE +PROCESSES +RUN +WAIT/m);
    expect(out).to.match(/^where +ready +1 \(1-2\)/m);
    await client.destroy();
    script.kill('SIGTERM');
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
    expect(await outcomeOf(['top'], { env })).to.deep.include({
      code: 1,
      err: 'packet-ts top: no packet-ts run of this user is running\n',
    });
  });

  it('fits its screen, whatever there is to show, and prints nothing that a terminal obeys', () => {
    const call = {
      pool: 'p\u001b[2J',
      task: 't',
      process: 'x',
      host: 'local',
      pid: 1,
      number: 1,
      caller: 'c',
      state: 'running',
      age: 1_500,
      attempt: 1,
    } as const;
    const app = { name: 'App', listeners: [], connections: 3, pools: [], calls: Array.from({ length: 50 }, () => call) };
    const lines = screenOf({ pid: 1, rss: 1024 * 1024, uptime: 2, apps: [app] }, 40, 10);
    expect(lines).to.have.length(10);
    expect(lines.every(text => text.length <= 40)).to.equal(true);
    expect(lines.join('')).not.to.include('\u001b');
    expect(lines[4]).to.match(/^CALL TO/);
  });
});
