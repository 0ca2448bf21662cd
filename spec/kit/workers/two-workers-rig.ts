import type { WorkerSettings } from '../../../src/blueprint/types.js';
import { realClock } from '../../../src/clock.js';
import type { Host } from '../../../src/hosts/host.js';
import { inlineHost } from '../../../src/hosts/inline.js';
import { processHost } from '../../../src/hosts/process.js';
import { threadHost } from '../../../src/hosts/thread/thread.js';
import { serveInline } from '../../../src/tasks/index.js';
import { duplexPair } from '../../../src/wire/link/duplex-pair.js';
import { Owner, Workforce } from '../../../src/workers/index.js';
import { atEnd } from '../cleanup.js';
import { loadOneOfTwo, twoWorkers, type Alpha, type Beta } from './two-workers.js';

export const runtimes: Readonly<Record<'process' | 'thread' | 'inline', () => Host>> = {
  process: () => processHost({ entry: new URL('../children/two-workers-main.js', import.meta.url) }),
  thread: () => threadHost(new URL('../children/two-workers-main.js', import.meta.url)),
  inline: () => inlineHost({ pair: duplexPair, start: serveInline(loadOneOfTwo) }),
};

/** Both workers at work, under a real workforce. */
export async function startBoth(runtime: keyof typeof runtimes, settings: Partial<WorkerSettings> = {}) {
  const host = runtimes[runtime]();
  const blueprints = twoWorkers(settings);
  const workforce = new Workforce(blueprints, { clock: realClock, host: () => host });
  atEnd(async () => {
    await workforce.close(1);
    await host.close();
  });
  await workforce.startAll();
  const owner = new Owner('app', 'app');
  const alpha = workforce.client('alpha', owner) as unknown as Alpha;
  const beta = workforce.client('beta', owner) as unknown as Beta;
  const pid = (): number => workforce.status().find(({ name }) => name === 'alpha')!.pid!;
  return { workforce, owner, alpha, beta, pid };
}
