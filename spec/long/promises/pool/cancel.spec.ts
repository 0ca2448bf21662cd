import { expect } from 'chai';
import { AbortError, WorkerCrashedError, WorkerTimeoutError } from 'packet-ts';
import { cancelCases } from '../../../promises/pool/cases/cancel.js';
import { failure, Scene } from '../../../promises/pool/scene.js';

cancelCases('process');

describe('hung', function () {
  it('13. SIGSTOP the worker → detected by heartbeat, killed, call rejected, replaced', async () => {
    const scene = await Scene.open({ heartbeat: { every: '100ms', grace: '500ms' } });
    const busy = await scene.begun('hang');
    scene.kill(busy.pid, 'SIGSTOP');
    expect(await failure(busy.call)).to.include({ name: 'WorkerCrashedError', reason: 'heartbeat', signal: 'SIGKILL' });
    const idle = await scene.client.pid();
    expect(idle).to.not.equal(busy.pid);
    scene.kill(idle, 'SIGSTOP');
    expect(await scene.exitOf(idle)).to.include({ reason: 'heartbeat' });
    expect(await scene.client.pid()).to.not.equal(idle);
  });

  it('14. `while(true){}` with a hard limit → killed at limit ± 250 ms; a SIGTERM handler installed in user code does not save it', async () => {
    const scene = await Scene.open({ timeout: '500ms' });
    await scene.client.pid();
    const from = performance.now();
    const { call, pid } = await scene.begun('loop');
    expect(await failure(call)).to.be.instanceOf(WorkerTimeoutError);
    expect(performance.now() - from).to.be.at.least(495);
    expect(await scene.exitOf(pid)).to.include({ signal: 'SIGKILL', reason: 'timeout' });
    expect(await scene.client.pid()).to.not.equal(pid);
  });

  it('15. slow but healthy CPU call longer than the heartbeat period: without a limit it ends by itself, with `timeout` it is killed', async () => {
    const heartbeat = { every: '50ms', grace: '100ms' } as const;
    const patient = await Scene.open({ heartbeat, timeout: false });
    const pid = await patient.client.pid();
    expect(await patient.client.spin(600)).to.equal(pid);
    expect(patient.exits).to.deep.equal([]);
    const strict = await Scene.open({ heartbeat, timeout: '300ms' });
    expect(await failure(strict.client.spin(60_000))).to.be.instanceOf(WorkerTimeoutError);
  });
});

describe('cancel on a worker with several slots', function () {
  it('20. unless it must kill; then the others are rejected, or re-dispatched when they had not started', async () => {
    const scene = await Scene.open({ concurrency: 2, prefetch: 2, cancelGrace: '200ms' });
    const neighbour = await scene.begun('hang');
    const control = new AbortController();
    const looping = await scene.begun('loop', { signal: control.signal });
    expect(looping.pid).to.equal(neighbour.pid);
    const unstarted = [scene.note(1), scene.note(2)];
    control.abort();
    expect(await failure(looping.call)).to.be.instanceOf(AbortError);
    const error = await failure<WorkerCrashedError>(neighbour.call);
    expect(error).to.be.instanceOf(WorkerCrashedError).and.to.include({ reason: 'neighbour', started: true });
    for (const pid of await Promise.all(unstarted)) expect(pid).to.not.equal(looping.pid);
    expect(scene.journal).to.deep.equal(['1', '2']);
  });
});
