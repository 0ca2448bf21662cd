import { expect } from 'chai';
import { Rig } from '../support/rig.js';

describe('a pool', () => {
  it('carries a call to its process and the answer back', async () => {
    const rig = await Rig.started();
    const answer = rig.client().run({ a: 1 });
    const worker = await rig.host.worker(1);
    worker.reply(await worker.call(), [2]);
    expect(await answer).to.deep.equal([2]);
    await rig.close();
    expect(rig.clock.pending).to.equal(0);
  });
});
