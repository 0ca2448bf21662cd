import { expect } from 'chai';
import * as main from 'packet-ts';
import * as framing from 'packet-ts/framing';
import * as http from 'packet-ts/http';
import * as metrics from 'packet-ts/metrics';
import * as nats from 'packet-ts/nats';
import * as otel from 'packet-ts/otel';
import * as testing from 'packet-ts/testing';

const GIVEN: Readonly<Record<string, unknown>> = {
  undefined,
  null: null,
  'a number': 5,
  'a text': 'x',
  'an unknown option': { typo: 1 },
  'a list': [],
  'a function': () => 1,
};

/** Not ours, and one that replaces globals of the process that runs the specs. */
const LEFT_OUT: ReadonlySet<string> = new Set(['delay', 'useLightWeb']);

async function errorOf(call: () => unknown): Promise<Error | undefined> {
  try {
    await call();
  } catch (error) {
    return error as Error;
  }
  return undefined;
}

describe('public functions that are given anything', () => {
  const modules = { main, framing, http, metrics, nats, otel, testing };
  for (const [module, exports] of Object.entries(modules)) {
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== 'function' || LEFT_OUT.has(name)) continue;
      if (/^class\b/.test(Function.prototype.toString.call(value))) continue;
      it(`say what they expect, in words of their own: ${module}, ${name}()`, async () => {
        for (const [what, given] of Object.entries(GIVEN)) {
          const error = await errorOf(() => (value as (given: unknown) => unknown)(given));
          if (error === undefined || error instanceof main.PacketError) continue;
          expect(error.message, `${name}() of ${what}`).to.match(new RegExp(`^${name}\\(`));
        }
      });
    }
  }

  it('say so of the second argument, too', async () => {
    const request = new Request('http://127.0.0.1/');
    for (const given of [undefined, null, 5, 'x', { typo: 1 }, {}, { root: 'relative' }]) {
      const error = await errorOf(() => http.sendFile(request, '/x', given as never));
      expect(error, String(given)).to.be.instanceOf(main.UsageError);
    }
    expect(await errorOf(() => http.sendFile(request, undefined as never, { root: '/srv' }))).to.be.instanceOf(main.UsageError);
  });
});
