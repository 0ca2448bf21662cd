import { expect } from 'chai';
import { WorkerCrashedError } from '../../../src/index.js';
import { freePort, natsServer, needsProgram, soon, spawnScript, waitFor } from '../../kit/index.js';
import { rejection } from '../../workers/support/rig.js';
import { makeCalls } from '../../mesh/support/calls-load.js';
import { JournalRig } from '../../mesh/support/journal-rig.js';

describe('a mesh in which something fails', function () {
  this.timeout(60_000);
  if (!needsProgram('nats-server')) return;

  it('tells of a lost host: its calls may have begun, and idempotent ones run elsewhere', async () => {
    const rig = await JournalRig.open();
    const [first, second] = [await rig.host('one'), await rig.host('two')];
    const journal = await rig.caller();
    const calls = Array.from({ length: 20 }, (_, i) => rejection(journal.run({ id: `run${i}`, ms: 3_000 })));
    const again = Array.from({ length: 20 }, (_, i) => journal.again({ id: `again${i}`, ms: 300 }));
    await waitFor(() => rig.noted('begin').size >= 20, { within: '10s', what: 'calls to begin' });
    first.kill('SIGKILL');
    second.kill('SIGKILL');
    await rig.host('three');
    for (const error of await soon(Promise.all(calls), { within: '10s', what: 'the calls to fail' })) {
      expect(error).to.be.instanceOf(WorkerCrashedError);
      expect(error).to.include({ reason: 'lost', started: 'maybe' });
      expect(['one', 'two']).to.include(error['host']);
    }
    expect(await Promise.all(again)).to.have.length(20);
  });

  it('gives up a host that is stopped', async () => {
    const rig = await JournalRig.open();
    const host = await rig.host('one');
    const journal = await rig.caller();
    const call = rejection(journal.run({ id: 'a', ms: 20_000 }));
    await waitFor(() => rig.noted('begin').size > 0, { within: '10s', what: 'the call to begin' });
    host.kill('SIGSTOP');
    expect(await soon(call, { within: '10s', what: 'the call to fail' })).to.include({ reason: 'lost', started: 'maybe' });
    host.kill('SIGKILL');
  });

  it('aborts on the host what a killed caller had asked for', async () => {
    const rig = await JournalRig.open();
    await rig.host('one');
    const caller = spawnScript(new URL('../../mesh/support/journal-caller.main.js', import.meta.url), [rig.server.url], {
      env: { MESH_JOURNAL: rig.file },
    });
    await caller.line('holding');
    await waitFor(() => rig.noted('begin').size === 3, { within: '10s', what: 'the calls to begin' });
    caller.kill('SIGKILL');
    await waitFor(() => rig.noted('aborted').size === 3, { within: '10s', what: 'the tasks to be aborted' });
  });

  for (const down of [50, 300, 1_000, 5_000]) {
    it(`loses no call and runs none twice while the server is away for ${down} ms`, async () => {
      const rig = await JournalRig.open();
      await rig.host('one');
      await rig.host('two');
      const journal = await rig.caller();
      const calls = makeCalls(id => journal.run({ id, ms: 5 }));
      await waitFor(() => rig.noted('end').size > 200, { within: '10s', what: 'calls to end' });
      await rig.server.kill();
      await new Promise(resolve => AbortSignal.timeout(down).addEventListener('abort', resolve));
      await rig.restartServer();
      const before = rig.noted('end').size;
      await waitFor(() => rig.noted('end').size > before + 200, { within: '20s', what: 'calls to go on' });
      const { done, failed } = await calls.stop();
      expect([...failed]).to.deep.equal([]);
      expect(rig.twice).to.deep.equal([]);
      expect(new Set(done).size).to.equal(done.length);
    });
  }

  it('loses no call when a host is drained under load', async () => {
    const rig = await JournalRig.open();
    const [first] = [await rig.host('one'), await rig.host('two')];
    const journal = await rig.caller();
    const calls = makeCalls(id => journal.run({ id, ms: 2 }));
    await waitFor(() => rig.noted('end').size > 300, { within: '10s', what: 'calls to end' });
    first.kill('SIGTERM');
    expect(await first.exit()).to.deep.equal({ code: 0, signal: null });
    await waitFor(() => rig.noted('end').size > 1_000, { within: '20s', what: 'calls to go on' });
    const { failed } = await calls.stop();
    expect([...failed]).to.deep.equal([]);
    expect(rig.twice).to.deep.equal([]);
  });

  it('says that no host serves a worker, after the time that a call may wait for one', async () => {
    const rig = await JournalRig.open();
    const host = await rig.host('one');
    const journal = await rig.caller();
    expect(await journal.run({ id: 'a', ms: 0 })).to.equal('a');
    host.kill('SIGTERM');
    await host.exit();
    // A call that is made meanwhile waits, and is served by the host that comes.
    const waiting = journal.run({ id: 'b', ms: 0 });
    await rig.host('two');
    expect(await waiting).to.equal('b');
  });

  it('moves to the other server of a cluster, and loses nothing', async () => {
    const rig = await JournalRig.open();
    const [route, other] = [await freePort(), await freePort()];
    const cluster = (own: number, peer: number): string[] => [
      ...['--cluster_name', 'spec', '--cluster', `nats://127.0.0.1:${own}`, '--routes', `nats-route://127.0.0.1:${peer}`],
    ];
    const first = await natsServer({ args: cluster(route, other) });
    const second = await natsServer({ args: cluster(other, route) });
    const servers = [first.url, second.url].join(',');
    await rig.host('one', [second.url, first.url].join(','));
    await rig.host('two', servers);
    const journal = await rig.caller(servers);
    const calls = makeCalls(id => journal.run({ id, ms: 5 }));
    await waitFor(() => rig.noted('end').size > 200, { within: '10s', what: 'calls to end' });
    await first.kill();
    const before = rig.noted('end').size;
    await waitFor(() => rig.noted('end').size > before + 300, { within: '20s', what: 'calls to go on' });
    const { failed } = await calls.stop();
    expect([...failed]).to.deep.equal([]);
    expect(rig.twice).to.deep.equal([]);
  });
});
