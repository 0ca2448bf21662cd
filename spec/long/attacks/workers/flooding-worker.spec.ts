import { expect } from 'chai';
import { spawnScript } from '../../../kit/index.js';

const MB = 1024 * 1024;
const MAIN = new URL('../../../fixtures/connections/flood.main.js', import.meta.url);

interface Measured {
  /** How the flood ended. */
  readonly over: string;
  readonly answered: number;
  readonly slowest: number;
  readonly peak: number;
  readonly grown: number;
  readonly lines: number;
  readonly afterwards: unknown;
  readonly listed: boolean;
}

/** Each with a master of its own, so that what other specs left in the heap is not measured. */
describe('a worker process that floods its master', function () {
  const KILLED = /^WorkerTimeoutError/;
  const CAUGHT = /^Worker(TimeoutError|CrashedError.*protocol)/;
  const floods: readonly (readonly [name: string, how: string, what: string, end: RegExp])[] = [
    ['with the latest status', 'flood', 'status', KILLED],
    ['with large values', 'flood', 'large status', CAUGHT],
    ['with errors that nobody caused', 'flood', 'stray', KILLED],
    ['with news of its connections', 'flood', 'holds', KILLED],
    ['with unasked messages', 'flood', 'messages', CAUGHT],
    ['with a stream without end', 'stream', 'items', /^(WorkerCrashedError.*protocol|BoundaryError)/],
    ['with calls to another worker', 'flood', 'calls to another worker', CAUGHT],
    ['with large calls to another worker', 'flood', 'large calls to another worker', CAUGHT],
    ['on stdout', 'print', 'stdout', KILLED],
    ['on stderr', 'print', 'stderr', KILLED],
  ];

  for (const [name, how, what, end] of floods) {
    it(`${name} is ended for it; meanwhile others are answered, the loop turns and memory is bounded`, async function () {
      const script = spawnScript(MAIN, [how, what]);
      const measured = JSON.parse(await script.line(/^\{/, { within: '40s' })) as Measured;
      const { over, answered, slowest, peak, grown, lines } = measured;
      this.test!.title += ` (${answered} answered, slowest ${Math.round(slowest)} ms, loop late by at most ${Math.round(peak)} ms, RSS +${Math.round(grown / MB)} MB, ${lines} lines logged)`;
      expect(over).to.match(end);
      expect(peak, 'ms that the loop was late').to.be.lessThan(1000);
      expect(answered, 'answers of the honest worker meanwhile').to.be.greaterThan(1);
      // By the limits of workers/upcalls: 64 MB in open calls, here once as they came and once more on their way, and 256 MB of answers unread.
      expect(grown, 'bytes of RSS').to.be.lessThan((what.includes('calls') ? 400 : 150) * MB);
      expect(lines, 'lines logged').to.be.lessThan(what === 'stray' ? 500 : 100_000);
      expect(measured).to.include({ afterwards: 'afterwards', listed: true });
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
    });
  }
});
