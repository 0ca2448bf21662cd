import { createRequire } from 'node:module';
import { expect } from 'chai';
import { spawn } from 'packet-ts';
import { createTestApp } from 'packet-ts/testing';
import { SmallWorker } from '../../fixtures/workers/small.worker.js';
import { EchoConnection, EchoModule } from '../../fixtures/workers/fake-timers.module.js';

const NAMES = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate', 'queueMicrotask'] as const;

/** Runs `work` while every timer and clock that fake-timers libraries replace by default stands still: the globals, and `require('timers')`. */
async function withTimeStandingStill<T>(work: () => Promise<T>): Promise<T> {
  const timers = createRequire(import.meta.url)('node:timers') as Record<string, unknown>;
  const undo: (() => void)[] = [];
  const replace = (owner: object, name: string, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
    undo.push(() => (before ? Object.defineProperty(owner, name, before) : Reflect.deleteProperty(owner, name)));
  };
  const never = (): object => ({ ref: () => ({}), unref: () => ({}) });
  for (const name of NAMES) {
    replace(globalThis, name, never);
    if (name in timers) replace(timers, name, never);
  }
  replace(performance, 'now', () => 0);
  replace(Date, 'now', () => 0);
  try {
    return await work();
  } finally {
    for (const each of undo.reverse()) each();
  }
}

describe('a test that has replaced the timers', function () {
  for (const runtime of ['inline', 'process'] as const) {
    it(`starts a worker, calls it and closes it, runtime '${runtime}'`, async () => {
      const answer = await withTimeStandingStill(async () => {
        const small = await spawn(SmallWorker, { logger: false, runtime });
        try {
          return await small.echo('hello');
        } finally {
          await small.close();
        }
      });
      expect(answer).to.equal('hello');
    });
  }

  it('starts an application, talks to it and closes it', async () => {
    const answer = await withTimeStandingStill(async () => {
      const app = await createTestApp(EchoModule).start();
      const client = await app.connect(EchoConnection);
      client.send('hello');
      const said = await client.next();
      client.end();
      await client.closed;
      await app.close();
      return said;
    });
    expect(answer).to.equal('hello');
  });
});
