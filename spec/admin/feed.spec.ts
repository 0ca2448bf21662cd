import { expect } from 'chai';
import { bootstrap, serveWorkers, Workers } from 'packet-ts';
import { memoryMesh } from 'packet-ts/testing';
import { callTraces } from '../../src/diagnostics/traces.js';
import { atEnd, tcpClient, waitFor } from '../kit/index.js';
import { Desk } from '../fixtures/workers/admin.worker.js';
import { adminApp, byPassword, Counter, inlineAdminApp, InlineCounter } from './support/admin-app.js';
import { AdminClient } from './support/admin-client.js';
import { Caller, CallsModule } from '../mesh/support/module.js';

const OPERATOR = { authorization: 'Bearer operator' };

describe('the feed of the page', function () {
  this.timeout(60_000);

  it('tells listeners, pools, processes, connections and the event loop at once, then only what has changed', async () => {
    const app = await adminApp();
    const peer = await tcpClient(app.address(Counter).port);
    await peer.send('hello\n');
    await peer.line();
    const client = await AdminClient.open(app);
    expect(client.role).to.equal('read');
    expect(client.facts.get('listeners')).to.deep.equal([{ handler: 'Counter', url: app.address(Counter).url, connections: 1 }]);
    expect(client.rows('pools')).to.have.length(1);
    expect(client.rows('pools')[0]).to.include({ id: 'desk', state: 'ready', paused: false, processes: 2, min: 2, max: 3 });
    expect(client.rows('processes').map(({ pid }) => pid)).to.have.members(app.workers.status().map(({ pid }) => pid));
    expect(client.rows('processes')[0]).to.include({ state: 'ready', status: '{ open: true }' });
    expect(client.rows('connections')).to.have.length(1);
    expect(client.rows('connections')[0]).to.include({ handler: 'Counter', bytesRead: 6, bytesWritten: 6, dialled: false });
    expect(client.facts.get('app')).to.include({ pid: process.pid, connections: 1 });

    await peer.send('again\n');
    await peer.line();
    await client.until(() => client.rows('connections')[0]!['bytesRead'] === 12, 'the bytes of the second line');
    const later = client.changes.slice(1).flatMap(({ set }) => Object.keys(set!));
    expect(later).to.include(`connection/${String(client.rows('connections')[0]!['id'])}`);
    expect(later).not.to.include.members(['listeners']);
    expect(later).not.to.include.members(['pool/desk']);
  });

  it('tells calls in flight with their age, why connections closed, how processes ended with their last words, and errors', async () => {
    const app = await adminApp();
    const client = await AdminClient.open(app);
    const waiting = await tcpClient(app.address(Counter).port);
    await waiting.send('wait\n');
    await client.until(() => client.rows('calls').length === 1, 'the call');
    expect(client.rows('calls')[0]).to.include({ pool: 'desk', task: 'wait', state: 'running', attempt: 1 });
    const crashing = await tcpClient(app.address(Counter).port);
    await crashing.send('crash\nfail\n');
    expect(await crashing.lines(2, { within: '10s' })).to.deep.equal(['WorkerCrashedError', 'RangeError']);
    await crashing.destroy();
    await client.until(() => client.rows('closed').length > 0, 'the closed connection');
    expect(client.rows('closed')[0]).to.include({ handler: 'Counter', by: 'peer' });
    await client.until(() => client.rows('exits').length > 0, 'the ended process');
    expect(client.rows('exits')[0]).to.include({ pool: 'desk', reason: 'exit', exitCode: 3, expected: false });
    expect(client.rows('exits')[0]!['stderr']).to.deep.equal(['the last words of a process']);
    await waiting.destroy();
  });

  it('tells how long the calls of each pool waited and ran, while a page is open and of the time since', async () => {
    const app = await inlineAdminApp();
    const peer = await tcpClient(app.address(InlineCounter).port);
    await peer.send('pid\n');
    await peer.line();
    expect(callTraces.hasSubscribers, 'before a page is open').to.equal(false);
    const client = await AdminClient.open(app);
    expect(client.facts.get('latency/desk')).to.equal(null);
    await peer.send('pid\npid\npid\n');
    await peer.lines(3);
    interface Times {
      readonly count: number;
      readonly p50: number | null;
      readonly p99: number | null;
      readonly buckets: readonly number[];
    }
    const told = (): Record<'wait' | 'run', Times> | null => client.facts.get('latency/desk') as Record<'wait' | 'run', Times> | null;
    await client.until(() => told()?.run.count === 3, 'the three calls');
    const { bounds } = client.facts.get('app') as { bounds: readonly number[] };
    for (const { count, p50, p99, buckets } of [told()!.run, told()!.wait]) {
      expect(count).to.equal(3);
      expect(buckets).to.have.length(bounds.length + 1);
      expect(buckets.reduce((sum, each) => sum + each)).to.equal(3);
      expect([...bounds, null]).to.include.members([p50, p99]);
    }
    await client.socket[Symbol.asyncDispose]();
    await waitFor(() => !callTraces.hasSubscribers, { what: 'the page to stop listening' });
    await peer.destroy();
  });

  it('shows the processes of other machines, with the name of the machine, and the calls that they have', async () => {
    const mesh = memoryMesh();
    const quiet = { logger: false, signals: false } as const;
    const host = await serveWorkers(CallsModule, { mesh, workers: ['mesh_calls'], name: 'far', ...quiet });
    atEnd(() => host.close());
    const admin = { listen: 'http://127.0.0.1:0', authorize: () => 'operate' as const } as const;
    const app = await bootstrap(CallsModule, { mesh, placement: { mesh_calls: 'remote' }, admin, ...quiet });
    atEnd(() => app.close({ timeout: 100 }));
    const client = await AdminClient.open(app);
    client.look({ pool: 'mesh_calls' });
    await client.until(() => client.rows('processes').some(({ pid }) => typeof pid === 'number'), 'the machine to tell of its process');
    const pool = client.rows('pools').find(({ id }) => id === 'mesh_calls');
    expect(pool).to.include({ processes: 0, remote: 1, isRemote: true });
    const [row] = client.rows('processes');
    expect(row).to.include({ host: 'far', state: 'ready' });
    // It is acted upon there.
    expect(await client.act({ do: 'kill', process: row!['id'] })).to.include('is gone');
    const ended = app.get(Caller).calls.slow(2_000);
    await client.until(() => client.rows('calls').length === 1, 'the call');
    expect(client.rows('calls')[0]).to.include({ pool: 'mesh_calls', host: 'far', state: 'running' });
    await ended;
  });

  it('shows one page of a long list, filters it, and turns to the next', async () => {
    const app = await inlineAdminApp();
    const peers = await Promise.all(Array.from({ length: 60 }, () => tcpClient(app.address(InlineCounter).port)));
    const client = await AdminClient.open(app);
    await client.until(() => (client.facts.get('connections') as { total: number }).total === 60, 'all connections');
    expect(client.facts.get('connections')).to.include({ page: 0, pages: 2, total: 60 });
    expect(client.rows('connections')).to.have.length(50);
    const first = client.rows('connections').map(({ id }) => id);
    client.look({ connectionPage: 1 });
    await client.until(() => client.rows('connections').length === 10, 'the second page');
    expect(client.rows('connections').map(({ id }) => id)).not.to.include.members(first.slice(0, 1));
    const { id } = client.rows('connections')[3]!;
    client.look({ connectionFilter: String(id), connectionPage: 0 });
    await client.until(
      () => client.rows('connections').some(row => row['id'] === id) && client.rows('connections').length < 10,
      'the filtered one',
    );
    // Nothing of the pages before is kept.
    expect([...client.facts.keys()].filter(name => name.startsWith('connection/'))).to.have.length(client.rows('connections').length);
    await Promise.all(peers.map(peer => peer.destroy()));
  });

  it('tells the log by level, without facts that the logger may redact', async () => {
    const app = await inlineAdminApp();
    const { Logger } = await import('packet-ts');
    const log = app.get(Logger);
    log.info({ token: 'secret', worker: 'desk' }, 'signed in');
    log.error(new RangeError('broken'), 'it failed');
    const client = await AdminClient.open(app);
    const texts = (): string[] => client.rows('log').map(({ level, text }) => `${String(level)} ${String(text)}`);
    const all = texts().join('\n');
    expect(all).to.match(/^info signed in .*worker=desk/m);
    expect(all).to.match(/^error it failed .*RangeError: broken$/m);
    expect(JSON.stringify([...client.facts])).not.to.include('secret');
    client.look({ logLevel: 'error' });
    await client.until(() => texts().every(text => text.startsWith('error')), 'errors alone');
    expect(texts().join('\n')).to.match(/^error it failed/m);
  });

  it('lets somebody who may only look do nothing, and says so', async () => {
    const app = await inlineAdminApp({ authorize: byPassword });
    const client = await AdminClient.open(app);
    expect(client.role).to.equal('read');
    const [{ id, pid }] = client.rows('processes') as [{ id: string; pid: number }];
    for (const action of [
      { do: 'kill', process: id },
      { do: 'restart', process: id },
      { do: 'restartPool', pool: 'desk' },
      { do: 'pause', pool: 'desk' },
      { do: 'resume', pool: 'desk' },
      { do: 'scale', pool: 'desk', min: 1, max: 1 },
      { do: 'disconnect', connection: 'x' },
    ])
      expect(await client.act(action)).to.include('read-only');
    expect(app.workers.status().map(row => row.pid)).to.include(pid);
  });

  it('does what an operator asks for: disconnects, kills, restarts, pauses, resumes, scales', async () => {
    const app = await adminApp({ authorize: byPassword });
    const client = await AdminClient.open(app, OPERATOR);
    expect(client.role).to.equal('operate');
    const peer = await tcpClient(app.address(Counter).port);
    await client.until(() => client.rows('connections').length === 1, 'the connection');
    expect(await client.act({ do: 'disconnect', connection: client.rows('connections')[0]!['id'] })).to.equal(undefined);
    expect(await peer.all({ within: '5s' })).to.equal('');
    await client.until(() => client.rows('closed')[0]?.['code'] === 'ADMIN', 'why it closed');

    const pids = (): (number | undefined)[] =>
      app
        .get(Workers)
        .status()
        .map(({ pid }) => pid);
    const [killed] = client.rows('processes') as [{ id: string; pid: number }];
    expect(await client.act({ do: 'kill', process: killed.id })).to.equal(undefined);
    await waitFor(() => !pids().includes(killed.pid) && app.workers.status().filter(({ state }) => state === 'ready').length === 2, {
      within: '20s',
    });
    expect(await client.act({ do: 'kill', process: killed.id })).to.include('is gone');

    const before = pids();
    expect(await client.act({ do: 'restartPool', pool: 'desk' })).to.equal(undefined);
    expect(pids().filter(pid => before.includes(pid))).to.deep.equal([]);
    await client.until(() => client.rows('processes').some(({ pid }) => pid === pids()[0]), 'the new processes');
    const [old] = client.rows('processes') as [{ id: string; pid: number }];
    expect(await client.act({ do: 'restart', process: old.id })).to.equal(undefined);
    await waitFor(() => !pids().includes(old.pid), { within: '20s' });

    expect(await client.act({ do: 'pause', pool: 'desk' })).to.equal(undefined);
    const asker = await tcpClient(app.address(Counter).port);
    await asker.send('pid\n');
    await client.until(() => client.rows('pools')[0]!['queued'] === 1 && client.rows('pools')[0]!['paused'] === true, 'the waiting call');
    expect(await client.act({ do: 'resume', pool: 'desk' })).to.equal(undefined);
    expect(await asker.line({ within: '10s' })).to.match(/^\d+$/);

    expect(await client.act({ do: 'scale', pool: 'desk', min: 4, max: 5 })).to.equal(undefined);
    await waitFor(() => app.workers.status().filter(({ state }) => state === 'ready').length === 4, { within: '20s' });
    expect(await client.act({ do: 'scale', pool: 'desk', min: 1, max: 1 })).to.equal(undefined);
    await waitFor(() => app.workers.status().length === 1, { within: '20s' });
    expect(await client.act({ do: 'scale', pool: 'desk', min: 2, max: 1 })).to.include('at least');
    expect(app.workers.get(Desk)!.state).to.equal('ready');
  });

  it('answers what it cannot read with an error, and lives', async () => {
    const app = await inlineAdminApp({ authorize: () => 'operate' });
    const client = await AdminClient.open(app);
    client.socket.send('{"id":1,"action":{"do":"explode"}}');
    await waitFor(() => client.socket.messages.some(message => String(message).startsWith('{"error"')), { within: '5s' });
    expect(await client.act({ do: 'pause', pool: 'nobody' })).to.include('there is no pool nobody');
  });
});
