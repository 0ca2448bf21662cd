/** A worker process without a worker: evaluates each line that comes over the link and answers with one line of JSON. */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';
import type { Direct } from '../../../src/wire/link/types.js';

Object.assign(globalThis, { require: createRequire(import.meta.url) });
// Where no reaper watches it, a worker process does so by itself; that part is the runtime's.
const watching = process.env['PACKET_TS_WATCHDOG'] !== undefined;
const link = watching ? (await import('../../../src/tasks/start/process-setup.js')).prepareProcess().stream : new Socket({ fd: 3 });
// A copy of this file stands alone.
const { deliverTo } = link as Partial<Direct>;
link.on('end', () => process.exit());
// The runtime's end of a link hands its bytes over past the stream.
const input = new PassThrough();
if (deliverTo) deliverTo.call(link, chunk => input.write(Buffer.from(chunk)));
else link.pipe(input);
createInterface(input).on('line', line => {
  void (async () => {
    try {
      link.write(`${JSON.stringify({ value: (await (0, eval)(JSON.parse(line) as string)) as unknown })}\n`);
    } catch (error) {
      link.write(`${JSON.stringify({ error: inspect(error) })}\n`);
    }
  })();
});
