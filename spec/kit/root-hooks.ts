/**
 * Loaded before every spec (`.mocharc.json`). Ends what tests started, and fails the run when something is left at its end:
 * a descriptor, a timer or socket that keeps the loop alive, a child process – whoever started it.
 */
import { setImmediate } from 'node:timers/promises';
import type { Runner } from 'mocha';
import { standardError } from '../../src/logging/standard-error.js';
import { cleanups } from './cleanup.js';
import { holdings, ownProcesses, surplus, type Holdings } from './leftovers.js';
import { waitFor } from './wait-for.js';

let before: Holdings;
/** For each thing: the first suite after which it was there. */
const firstSeen = new Map<string, string>();
let suiteCleanup: Promise<void> = Promise.resolve();

/** Node makes some descriptors at first use only: they are not what a test leaves. */
function warmUp(): void {
  const ignore = (): void => {};
  process.on('SIGURG', ignore).off('SIGURG', ignore);
  void [process.stdout.isTTY, process.stderr.isTTY];
  standardError();
}

export const mochaHooks = {
  async beforeAll(): Promise<void> {
    warmUp();
    // Mocha's own timer of an asynchronous hook is then counted before as it is after.
    await setImmediate();
    before = holdings();
  },

  async beforeEach(): Promise<void> {
    await suiteCleanup;
    cleanups.testBegins();
  },

  afterEach(): Promise<void> {
    return cleanups.testEnds();
  },

  async afterAll(): Promise<void> {
    await suiteCleanup;
    await cleanups.suiteEnds();
    let left: string[] = [];
    await waitFor(() => (left = surplus(before, holdings())).length === 0, { within: '4s' }).catch(() => {
      const lines = left.map(thing => `  ${thing}${firstSeen.has(thing) ? ` – seen since ${firstSeen.get(thing)}` : ''}`);
      // They have been told of; they must not outlive the run as well.
      for (const { pid } of ownProcesses()) process.kill(pid, 'SIGKILL');
      throw new Error(`left behind by the specs:\n${lines.join('\n')}`);
    });
  },
};

/** Mocha calls this with its runner as `this`, before anything runs. */
export function mochaGlobalSetup(this: Runner): void {
  this.on('suite end', suite => {
    if (suite.parent?.root !== true) return;
    suiteCleanup = cleanups.suiteEnds();
    for (const thing of surplus(before, holdings())) if (!firstSeen.has(thing)) firstSeen.set(thing, suite.title);
  });
}
