/** A master whose workers call the given port, idle, computing and (where a shell watches over them) stopped, until it is killed. */
import { processHost } from '../../../src/hosts/process.js';
import { Reaper } from '../../../src/hosts/reaper.js';
import { Probe, probeEntry } from '../workers/probe.js';

const [port, shell] = process.argv.slice(2);
const host = processHost({ entry: probeEntry, ...(shell === undefined ? {} : { reaper: new Reaper(shell) }) });
const connect = (name: string): string =>
  `new Promise(done => { const socket = require('net').connect(${port}, '127.0.0.1', () => socket.write('${name} ' + process.pid, done)) })`;
for (const [name, code] of [
  ['idle', '1'],
  ['computing', 'for (;;);'],
  ['stopped', `process.kill(process.pid, 'SIGSTOP')`],
] as const) {
  if (name === 'stopped' && shell !== undefined) continue;
  const probe = new Probe(host);
  await probe.run(connect(name));
  probe.tell(code);
  if (name === 'stopped') while (!probe.process.isStopped()) await new Promise(setImmediate);
}
process.stdout.write('ready\n');
