import { expect } from 'chai';
import { ProfileError } from '../../src/errors.js';
import { ownProfile } from '../../src/profiling/own-profile.js';
import type { ProfileRequest } from '../../src/profiling/profile-request.js';
import { burnOnPurpose } from '../fixtures/workers/profiled.worker.js';

async function whole(request: ProfileRequest, begun?: () => void): Promise<string> {
  const { signal } = new AbortController();
  const pieces: Uint8Array[] = [];
  for await (const piece of ownProfile(request, { signal, ...(begun && { onBegun: begun }) })) pieces.push(piece);
  expect(Math.max(...pieces.map(({ length }) => length))).to.be.at.most(32 * 1024);
  return Buffer.concat(pieces).toString();
}

describe('a profile of this process', function () {
  this.timeout(60_000);

  it('of the processor names the functions that it worked for', async () => {
    const text = await whole({ kind: 'cpu', duration: 50 }, () => setImmediate(() => burnOnPurpose(100)));
    const { nodes, samples, timeDeltas } = JSON.parse(text) as {
      nodes: { callFrame: { functionName: string } }[];
      samples: unknown[];
      timeDeltas: unknown[];
    };
    expect(nodes.map(({ callFrame }) => callFrame.functionName)).to.include('burnOnPurpose');
    expect(samples.length).to.equal(timeDeltas.length).and.to.be.above(0);
  });

  it('of the heap is a whole snapshot', async () => {
    const order: string[] = [];
    const text = await whole({ kind: 'heap', duration: 0 }, () => order.push('begun'));
    const { snapshot, nodes, strings } = JSON.parse(text) as {
      snapshot: { node_count: number; meta: { node_fields: unknown[] } };
      nodes: unknown[];
      strings: string[];
    };
    expect(nodes.length).to.equal(snapshot.node_count * snapshot.meta.node_fields.length);
    expect(strings).to.include('burnOnPurpose');
    expect(order).to.deep.equal(['begun']);
  });

  it('is taken one at a time, until it was read or left', async () => {
    const signal = new AbortController().signal;
    const first = ownProfile({ kind: 'heap', duration: 0 }, { signal });
    await first.next();
    const refused: unknown = await ownProfile({ kind: 'cpu', duration: 1 }, { signal })
      .next()
      .catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(ProfileError).and.to.include({ reason: 'busy' });
    await first.return();
    expect(await whole({ kind: 'cpu', duration: 1 })).to.include('nodes');
  });

  it('ends at once when its signal aborts', async () => {
    const abort = new AbortController();
    const reason = new RangeError('enough');
    const profile = ownProfile(
      { kind: 'cpu', duration: 60_000 },
      { signal: abort.signal, onBegun: () => setImmediate(() => abort.abort(reason)) },
    );
    expect(await profile.next().catch((error: unknown) => error)).to.equal(reason);
    expect(await whole({ kind: 'cpu', duration: 1 })).to.include('nodes');
  });
});
