import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { spawn, WorkerUnavailableError, type SpawnOptions } from 'packet-ts';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { SmallWorker } from '../../../fixtures/workers/small.worker.js';

/** Starts a worker that cannot start; gives why, and how many processes were started for it. */
async function attempt(options: SpawnOptions): Promise<{ error: WorkerUnavailableError; starts: number }> {
  let starts = 0;
  const count = (): void => void starts++;
  subscribe('packet-ts:worker.start', count);
  try {
    const error: unknown = await spawn(SmallWorker, { logger: false, ...options }).then(
      async small => {
        await small.close();
      },
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(WorkerUnavailableError);
    return { error: error as WorkerUnavailableError, starts };
  } finally {
    unsubscribe('packet-ts:worker.start', count);
  }
}

/** The messages of an error and of what caused it. */
function withCauses(error: Error): string {
  return error.cause instanceof Error ? `${error.message}\n${withCauses(error.cause)}` : error.message;
}

describe('a mistake that keeps a worker from starting', function () {
  let folder: string;
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'packet-ts-spec-'))));
  after(() => rmSync(folder, { recursive: true }));

  const sourceOf = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return pathToFileURL(path).href;
  };
  const mistakes: Readonly<Record<string, readonly [() => SpawnOptions, RegExp]>> = {
    'a folder that is not there': [() => ({ cwd: join(folder, 'none') }), /cwd: .*none is no folder/],
    'a flag that Node does not know': [() => ({ execArgv: ['--no-such-flag'] }), /bad option: --no-such-flag/],
    'a module to load first that is not there': [() => ({ execArgv: ['--import', './none.mjs'] }), /Cannot find module .*none\.mjs/],
    'a module that is not there': [() => ({ source: sourceOf('gone.mjs', '') + 'x' }), /Cannot find module .*gone\.mjsx/],
    'a module that is no JavaScript': [() => ({ source: sourceOf('broken.mjs', 'class {') }), /Unexpected token|Unexpected end/],
    'TypeScript without a loader': [
      () => ({ source: sourceOf('typed.ts', 'enum A { b }\n@x class C {}') }),
      /is TypeScript that its process cannot run/,
    ],
    'a module that declares another worker': [
      () => ({ source: sourceOf('other.mjs', 'export {};') }),
      /no class with @Worker\('small_worker'\)/,
    ],
  };
  for (const [what, [options, told]] of Object.entries(mistakes)) {
    it(`is told after one try: ${what}`, async () => {
      const { error, starts } = await attempt(options());
      expect(withCauses(error)).to.match(told);
      expect(starts).to.equal(1);
    });
  }

  it('is told after the second try where its own code throws the same each time', async () => {
    const source = sourceOf('throws.mjs', "throw new Error('the table of prices is empty');");
    const { error, starts } = await attempt({ source });
    expect(withCauses(error)).to.match(/the table of prices is empty/);
    expect(starts).to.equal(2);
  });

  it('is tried as often as it may be where it throws something else each time, or for want of a service', async () => {
    for (const thrown of ['new Error(`at ${process.pid}`)', "new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })"]) {
      const { starts } = await attempt({ source: sourceOf('differs.mjs', `throw ${thrown};`), restart: { maxFailedStarts: 3, delay: 1 } });
      expect(starts, thrown).to.equal(3);
    }
  });

  it('is tried again where it may pass: what a module throws while it is loaded', async () => {
    const source = sourceOf('refused.mjs', "throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });");
    const { error, starts } = await attempt({ source, restart: { maxFailedStarts: 2, delay: 1 } });
    expect(withCauses(error)).to.match(/ECONNREFUSED/);
    expect(starts).to.equal(2);
  });
});
