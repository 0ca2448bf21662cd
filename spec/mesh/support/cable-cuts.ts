import { expect } from 'chai';
import { WorkerCrashedError } from '../../../src/index.js';
import { natsServer, soon, waitFor, type NatsServer } from '../../kit/index.js';
import { Cable, needsCable } from './cable.js';
import { makeCalls } from './calls-load.js';
import { JournalRig } from './journal-rig.js';

const HOST = new URL('./journal-host.main.js', import.meta.url);
const CALLER = new URL('./journal-load.main.js', import.meta.url);

const seconds = (count: number): Promise<unknown> =>
  new Promise(resolve => AbortSignal.timeout(count * 1000).addEventListener('abort', resolve));

/** A server that both ends of the cable reach, as the other end writes its address. */
async function reachable(rig: JournalRig, cable: Cable): Promise<string> {
  const server: NatsServer = await natsServer({ args: ['-a', '0.0.0.0'] });
  rig.server = server;
  return `nats://${cable.near}:${server.port}`;
}

/** Specs of a cable that is cut for so long, in front of a host and in front of a caller. */
export function cableCuts(...cuts: readonly number[]): void {
  if (!needsCable()) return;

  for (const cut of cuts) {
    it(`in front of a host for ${cut} s: its calls go on or are told lost, none runs twice, none hangs, and it serves again`, async () => {
      const rig = await JournalRig.open();
      const cable = await Cable.lay();
      const url = await reachable(rig, cable);
      const host = cable.script(HOST, [url, 'afar'], { MESH_JOURNAL: rig.file });
      await host.line('serving');
      const journal = await rig.caller();
      const calls = makeCalls(id => journal.run({ id, ms: 5 }));
      await waitFor(() => rig.noted('end').size > 200, { within: '10s', what: 'calls to end' });
      cable.cut();
      await seconds(cut);
      cable.mend();
      const before = rig.noted('end').size;
      await waitFor(() => rig.noted('end').size > before + 200, { within: '20s', what: 'calls to go on' });
      const { failed } = await soon(calls.stop(), { within: '40s', what: 'every call to be settled' });
      for (const error of failed.values()) {
        // While no host is there calls wait for one, as long as they may.
        if (cut > 10 && error.name === 'WorkerUnavailableError') continue;
        expect(error).to.be.instanceOf(WorkerCrashedError);
        expect(error).to.include({ reason: 'lost', started: 'maybe', host: 'afar' });
      }
      if (cut < 2) expect([...failed]).to.deep.equal([]);
      expect(rig.twice).to.deep.equal([]);
    });

    it(`in front of a caller for ${cut} s: its calls wait and go on, none runs twice, none hangs`, async () => {
      const rig = await JournalRig.open();
      const cable = await Cable.lay();
      const url = await reachable(rig, cable);
      await rig.host('one');
      await rig.host('two');
      const caller = cable.script(CALLER, [url], {});
      await caller.line('calling');
      await waitFor(() => rig.noted('end').size > 200, { within: '10s', what: 'calls to end' });
      cable.cut();
      await seconds(cut);
      cable.mend();
      const before = rig.noted('end').size;
      await waitFor(() => rig.noted('end').size > before + 200, { within: '20s', what: 'calls to go on' });
      caller.stdin.end();
      const told = JSON.parse(await caller.line('{', { within: '40s' })) as { done: number; failed: string[] };
      expect(told.done).to.be.greaterThan(200);
      // After 15 s the hosts take the caller for gone.
      if (cut < 10) expect(told.failed).to.deep.equal([]);
      else for (const error of told.failed) expect(error).to.match(/^WorkerCrashedError: .*lost/);
      expect(rig.twice).to.deep.equal([]);
    });
  }
}
