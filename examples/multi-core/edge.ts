import { createHash } from 'node:crypto';
import { Connection, OnData, Worker } from 'packet-ts';
import { lines } from 'packet-ts/framing';

/** `stretch <rounds> <word>`: a hash of a hash of a hash … of the word: work for a processor. `pid`: who does it. */
@Connection({ listen: 'tcp://127.0.0.1:11020', framing: lines({ maxLength: '1kb' }) })
export class EdgeConnection {
  @OnData() answer(line: string): string {
    const [command, rounds, word = ''] = line.split(' ');
    if (command === 'pid') return String(process.pid);
    let hash = Buffer.from(word);
    for (let i = Math.min(Number(rounds) || 1, 1_000_000); i > 0; i--) hash = createHash('sha256').update(hash).digest();
    return hash.toString('hex');
  }
}

/** Each of its processes serves connections of its own; the master deals them. */
@Worker('edge', { minWorkers: 2, maxWorkers: 2, connections: [EdgeConnection] })
export class EdgeWorker {}
