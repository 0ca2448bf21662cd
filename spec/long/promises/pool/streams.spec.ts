import { expect } from 'chai';
import { spawnScript, type Script } from '../../../kit/index.js';

const MB = 1024 * 1024;
const GB = 1024 * MB;

/** In a process of its own, so that what other specs left in the heap is not measured. */
describe('1 GB through a worker', function () {
  this.timeout(120_000);
  let script: Script;
  before(() => void (script = spawnScript(new URL('../../../fixtures/connections/streams.main.js', import.meta.url), ['1024'])));
  after(() => script[Symbol.asyncDispose]());

  const measured = async (name: string): Promise<{ bytes: number; grown: number }> =>
    JSON.parse((await script.line(new RegExp(`^${name} `), { within: '100s' })).slice(name.length + 1)) as { bytes: number; grown: number };

  it('33. slow consumer: parent RSS grows by less than 50 MB while 1 GB of results is streamed', async () => {
    const { bytes, grown } = await measured('out');
    expect(bytes).to.equal(GB);
    expect(grown).to.be.lessThan(50 * MB);
  });

  it('33. slow task: parent RSS grows by less than 50 MB while 1 GB is streamed in', async () => {
    const { bytes, grown } = await measured('in');
    expect(bytes).to.equal(GB);
    expect(grown).to.be.lessThan(50 * MB);
    expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
  });
});
