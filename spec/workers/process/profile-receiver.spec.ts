import { expect } from 'chai';
import { ProfileError } from '../../../src/errors.js';
import type { ProfileRequest } from '../../../src/profiling/profile-request.js';
import { CreditKind, INITIAL_ROOM } from '../../../src/wire/link/credit.js';
import { Kind, MOST_PROFILE_PIECE, ProfileStep } from '../../../src/wire/link/protocol.js';
import type { PooledProcess } from '../../../src/workers/process/pooled-process.js';
import { rejection, Rig } from '../support/rig.js';
import type { FakeWorker } from '../support/fake-host.js';

const CPU: ProfileRequest = { kind: 'cpu', duration: 5_000 };
const PIECE = new Uint8Array(1000);

describe('the profiles that the master has a process take', () => {
  let rig: Rig;
  let worker: FakeWorker;
  let member: PooledProcess;

  async function start(settings: ConstructorParameters<typeof Rig>[0] = {}): Promise<void> {
    rig = await Rig.started({ minWorkers: 1, maxWorkers: 1, ...settings });
    const called = settings.minWorkers === 0 ? rig.client().nothing() : undefined;
    worker = await rig.host.worker(1);
    if (called) worker.reply(await worker.call(), undefined);
    await called;
    [member] = rig.workforce.pools[0]!.processSet.all as [PooledProcess];
  }
  beforeEach(() => start());
  afterEach(() => rig.close());

  function say(step: number, value?: unknown, id = 1): void {
    if (value === undefined) worker.link.send(Kind.PROFILE, id, step);
    else worker.link.sendValue(Kind.PROFILE, id, step, value);
  }

  /** Its end, as the pool sees it. */
  async function end(): Promise<string> {
    for (let turn = 0; turn < 10 && member.state !== 'dead'; turn++) await rig.clock.advance(100);
    return member.crashReason;
  }

  it('come piece by piece, with credit for those that were read', async () => {
    const profile = member.profiles.take(CPU);
    expect(await worker.next(Kind.PROFILE)).to.deep.include({ id: 1, arg: ProfileStep.take, value: CPU });
    say(ProfileStep.begun);
    const { count } = INITIAL_ROOM.profiles;
    for (let at = 0; at < count; at++) say(ProfileStep.bytes, PIECE);
    await rig.settle();
    expect(worker.kinds).not.to.include('CREDIT');
    for (let at = 0; at < count / 2; at++) expect((await profile.next()).value).to.deep.equal(PIECE);
    const { arg, id } = await worker.next(Kind.CREDIT);
    expect({ id, kind: arg >>> 24, count: arg & 0xffffff }).to.deep.equal({ id: 1, kind: CreditKind.profiles, count: count / 2 });
    say(ProfileStep.end);
    for (let at = 0; at < count / 2; at++) expect((await profile.next()).value).to.deep.equal(PIECE);
    expect((await profile.next()).done).to.equal(true);
    expect(member.profiles.active).to.equal(false);
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  for (const [what, offend] of [
    ['bytes beyond its credit', () => Array.from({ length: INITIAL_ROOM.profiles.count + 1 }, () => say(ProfileStep.bytes, PIECE))],
    ['a piece that is too large', () => say(ProfileStep.bytes, new Uint8Array(MOST_PROFILE_PIECE))],
    ['a piece that is no bytes', () => say(ProfileStep.bytes, 'text')],
    ['a profile that is not asked for', () => say(ProfileStep.bytes, PIECE, 2)],
    ['a step that does not exist', () => say(17)],
  ] as const) {
    it(`cost a process that sends ${what} its life, and the reader is told`, async () => {
      const profile = member.profiles.take(CPU);
      const failed = rejection(
        (async () => {
          while (!(await profile.next()).done);
        })(),
      );
      say(ProfileStep.begun);
      offend();
      expect(await end()).to.equal('protocol');
      expect(await failed)
        .to.be.instanceOf(ProfileError)
        .and.to.include({ reason: 'ended' });
    });
  }

  it('are one at a time, also while one that was left has not ended', async () => {
    const first = member.profiles.take(CPU);
    expect(() => member.profiles.take(CPU))
      .to.throw(ProfileError)
      .that.includes({ reason: 'busy' });
    const waiting = first.next();
    await first.return!();
    expect((await waiting).done).to.equal(true);
    await worker.next(Kind.PROFILE);
    expect(await worker.next(Kind.PROFILE)).to.include({ id: 1, arg: ProfileStep.leave });
    expect(() => member.profiles.take(CPU))
      .to.throw(ProfileError)
      .that.includes({ reason: 'busy' });
    say(ProfileStep.bytes, PIECE);
    say(ProfileStep.failed, new Error('left'));
    await rig.settle();
    member.profiles.take(CPU);
    expect(await worker.next(Kind.PROFILE)).to.include({ id: 2, arg: ProfileStep.take });
  });

  it('that cannot be taken reject with the error of the process', async () => {
    const failed = rejection(member.profiles.take(CPU).next());
    say(ProfileStep.failed, new ProfileError('denied', 'not allowed'));
    expect(await failed)
      .to.be.instanceOf(ProfileError)
      .and.to.include({ reason: 'denied', message: 'not allowed' });
  });

  it('of a process that does not begin are given up after 10 s, and it is told; it may go on', async () => {
    const failed = rejection(member.profiles.take(CPU).next());
    await worker.next(Kind.PROFILE);
    await rig.clock.advance(10_000);
    await rig.settle();
    expect(await failed).to.include({ reason: 'unanswered' });
    expect((await failed).message).to.equal('worker fixture pid 1 does not begin with a profile within 10 s: a task holds its event loop');
    expect(await worker.next(Kind.PROFILE)).to.include({ arg: ProfileStep.leave });
    expect(member.state).to.equal('ready');
    say(ProfileStep.begun);
    say(ProfileStep.failed, new Error('left'));
    await rig.settle();
    expect(member.profiles.active).to.equal(false);
  });

  it('have their duration and two minutes, then two minutes for each piece that is waited for', async () => {
    const profile = member.profiles.take(CPU);
    const first = profile.next();
    say(ProfileStep.begun);
    await rig.settle();
    await rig.clock.advance(124_000);
    say(ProfileStep.bytes, PIECE);
    expect((await first).done).to.equal(false);
    // Nothing is waited for: whoever reads takes as long as it likes.
    await rig.clock.advance(1_000_000);
    const next = rejection(profile.next());
    await rig.clock.advance(120_000);
    await rig.settle();
    expect(await next).to.include({ reason: 'unanswered' });
  });

  it('of a process that dies end with the reason', async () => {
    const failed = rejection(member.profiles.take(CPU).next());
    await worker.next(Kind.PROFILE);
    worker.die({ signal: 'SIGKILL' });
    await end();
    expect(await failed).to.include({ reason: 'ended' });
    expect((await failed).message).to.equal('worker fixture pid 1 has ended (signal) before its profile was here');
  });

  it('keep the heartbeat and idleTimeout away: a process that takes a heap snapshot stands still', async () => {
    await rig.close();
    await start({ minWorkers: 0, heartbeat: { every: 100, grace: 300 }, idleTimeout: 1_000 });
    const profile = member.profiles.take({ kind: 'heap', duration: 0 });
    say(ProfileStep.begun);
    await rig.clock.advance(5_000);
    expect(member.state).to.equal('ready');
    say(ProfileStep.bytes, PIECE);
    say(ProfileStep.end);
    expect((await profile.next()).done).to.equal(false);
    await rig.settle();
    for (let beat = 0; beat < 10; beat++) await rig.clock.advance(100);
    expect(member.state, 'the heartbeat is back').to.equal('dead');
  });

  it('that are left keep the heartbeat away until the process has left them, for two minutes', async () => {
    await rig.close();
    await start({ heartbeat: { every: 1_000, grace: 3_000 } });
    const profile = member.profiles.take({ kind: 'heap', duration: 0 });
    say(ProfileStep.begun);
    await rig.settle();
    await profile.return!();
    await rig.clock.advance(119_000);
    expect(member.state).to.equal('ready');
    for (let beat = 0; beat < 10; beat++) await rig.clock.advance(1_000);
    expect(member.state).to.equal('dead');
  });
});
