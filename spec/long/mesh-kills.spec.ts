import { expect } from 'chai';
import { needsProgram } from '../kit/index.js';
import { MeshKills } from './support/mesh-kills.js';

/** Kills of one run; 300 of them take a quarter of an hour. */
const KILLS = Number(process.env['MESH_KILLS'] ?? 24);
const SEED = Number(process.env['MESH_SEED'] ?? Date.now() % 1_000_000);

describe('a mesh whose callers, hosts, workers and server are killed at random', function () {
  this.timeout(60_000 + KILLS * 20_000);
  if (!needsProgram('nats-server')) return;

  it(`runs no call twice, lets none hang, and loses only what may have begun (seed ${SEED})`, async () => {
    const { kills, done, crashed, failed, hung, twice } = await MeshKills.run(KILLS, SEED);
    expect(Object.values(kills).reduce((sum, count) => sum + count, 0)).to.equal(KILLS);
    expect(hung).to.equal(0);
    expect(twice).to.deep.equal([]);
    expect([...failed].map(([id, error]) => `${id}: ${error.message}`)).to.deep.equal([]);
    for (const [id, { reason, started }] of crashed) {
      expect(['lost', 'signal'], id).to.include(reason);
      if (reason === 'lost') expect(started, id).to.equal('maybe');
    }
    expect(done).to.be.above(KILLS * 50);
  });
});
