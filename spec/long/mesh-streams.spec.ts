import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { needsProgram } from '../kit/index.js';
import { JournalRig } from '../mesh/support/journal-rig.js';

const MB = 1024 * 1024;
/** Megabytes each way, and what they may cost each of caller, host and server at most. */
const SENT = 1024;
const MOST = 300;

/** Resident megabytes of a process; 0 once it is gone. */
function rssOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

describe('streams over a mesh', function () {
  this.timeout(600_000);
  if (!needsProgram('nats-server')) return;

  it(`keep nothing: ${SENT} MB each way cost caller, host and server less than ${MOST} MB`, async () => {
    const rig = await JournalRig.open();
    const host = await rig.host('one');
    const journal = await rig.caller();
    const pids = [process.pid, host.pid, rig.server.script.pid];
    const before = pids.map(rssOf);
    const growth = pids.map(() => 0);
    const look = (): void => {
      for (const [i, pid] of pids.entries()) growth[i] = Math.max(growth[i]!, rssOf(pid) - before[i]!);
    };
    let down = 0;
    for await (const chunk of journal.bytes(SENT)) {
      down += chunk.length;
      look();
    }
    expect(down).to.equal(SENT * MB);
    const chunk = new Uint8Array(64 * 1024);
    const up = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < SENT * 16; i++) {
        yield chunk;
        look();
      }
    };
    expect(await journal.weigh(undefined, { send: up() })).to.equal(SENT * MB);
    for (const megabytes of growth) expect(megabytes).to.be.below(MOST);
  });
});
