import { expect } from 'chai';
import { CreditKind, INITIAL_ROOM, sendCredit } from '../../src/wire/link/credit.js';
import { Kind, ProfileStep } from '../../src/wire/link/protocol.js';
import { waitFor } from '../kit/index.js';
import { ready, type Rig } from '../kit/workers/runtime-rig.js';
import { loaded, taskOf, workerOf } from '../kit/workers/worker-fixture.js';

class Nothing {
  nothing(): void {}
}

interface Taken {
  readonly step: number;
  readonly value: unknown;
}

function profiles({ master }: Rig, id: number): Taken[] {
  return master.heard.filter(said => said.kind === 'PROFILE' && said.id === id).map(({ arg, value }) => ({ step: arg, value }));
}

function bytes(all: readonly Taken[]): Uint8Array[] {
  return all.filter(({ step }) => step === ProfileStep.bytes).map(({ value }) => value as Uint8Array);
}

describe('the profiles of a worker', function () {
  this.timeout(60_000);
  let rig: Rig;

  beforeEach(async () => {
    rig = await ready(loaded(workerOf(Nothing, [taskOf('nothing')])));
  });

  it('leave as far as the master has given credit, and are whole', async () => {
    const { link } = rig.master;
    link.sendValue(Kind.PROFILE, 1, ProfileStep.take, { kind: 'heap', duration: 0 });
    const { count, bytes: room } = INITIAL_ROOM.profiles;
    const sent = (): number => bytes(profiles(rig, 1)).reduce((sum, { length }) => sum + length, 0);
    await waitFor(() => sent() >= room || bytes(profiles(rig, 1)).length === count, { within: '20s', what: 'the first window' });
    expect(profiles(rig, 1)[0]).to.deep.equal({ step: ProfileStep.begun, value: undefined });
    // An answer to what was asked later: nothing was sent in between.
    link.send(Kind.PING, 0, 1);
    await rig.master.kind('PONG');
    expect(bytes(profiles(rig, 1)).length).to.be.at.most(count);
    sendCredit(link, 1, CreditKind.profiles, { count: 100_000, bytes: 2 ** 31 });
    await waitFor(() => profiles(rig, 1).some(({ step }) => step === ProfileStep.end), { within: '20s', what: 'the end' });
    const text = Buffer.concat(bytes(profiles(rig, 1))).toString();
    expect(JSON.parse(text)).to.have.keys(
      'snapshot',
      'nodes',
      'edges',
      'trace_function_infos',
      'trace_tree',
      'samples',
      'locations',
      'strings',
    );
  });

  it('end where the master leaves them, with exactly one last word', async () => {
    const { link } = rig.master;
    link.sendValue(Kind.PROFILE, 1, ProfileStep.take, { kind: 'cpu', duration: 60_000 });
    await waitFor(() => profiles(rig, 1).length === 1, { what: 'its begin' });
    link.send(Kind.PROFILE, 1, ProfileStep.leave);
    await waitFor(() => profiles(rig, 1).length === 2, { what: 'its end' });
    expect(profiles(rig, 1)[1]).to.include({ step: ProfileStep.failed });
    link.send(Kind.PROFILE, 1, ProfileStep.leave);
    link.sendValue(Kind.PROFILE, 2, ProfileStep.take, { kind: 'cpu', duration: 1 });
    await waitFor(() => profiles(rig, 2).some(({ step }) => step === ProfileStep.end), { what: 'the next one' });
    expect(profiles(rig, 1)).to.have.length(2);
  });

  it('that wait for credit end with the link', async () => {
    const { link } = rig.master;
    link.sendValue(Kind.PROFILE, 1, ProfileStep.take, { kind: 'heap', duration: 0 });
    await waitFor(() => bytes(profiles(rig, 1)).length > 0, { within: '20s', what: 'its first bytes' });
    link.destroy();
    await rig.end;
    const next = await ready(loaded(workerOf(Nothing, [taskOf('nothing')])));
    next.master.link.sendValue(Kind.PROFILE, 1, ProfileStep.take, { kind: 'cpu', duration: 1 });
    await waitFor(() => profiles(next, 1).some(({ step }) => step === ProfileStep.end), { what: 'a profile in the same process' });
  });
});
