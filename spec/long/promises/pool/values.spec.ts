import { expect } from 'chai';
import { waitFor } from '../../../kit/index.js';
import { valueCases } from '../../../promises/pool/cases/values.js';
import { Scene } from '../../../promises/pool/scene.js';

valueCases('process');

describe('values and the end of a process', function () {
  it('52. a message > 219 262 bytes followed by exit arrives whole', async () => {
    const scene = await Scene.open();
    for (const size of [219_263, 2_000_000]) {
      const answer = await scene.client.largeThenExit(size);
      expect(answer).to.have.length(size);
      expect(answer.every(byte => byte === 7)).to.equal(true);
      await waitFor(() => scene.exits.at(-1)?.why.exitCode === 0);
    }
  });
});
