/** Handlers that need a processor for about a millisecond, in as many reactor processes as the command line says: `<mode> <processes> <rounds>`. */
import { createHash } from 'node:crypto';
import { bootstrap, Connection, Module, OnData, Worker } from '../../src/index.js';
import { lines } from '../../src/framing/index.js';

const [mode, processes, rounds] = (process.env['BENCH_CORES'] ?? 'master 1 1000').split(' ');

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Busy {
  @OnData() work(line: string): string {
    let hash = Buffer.from(line);
    for (let i = Number(rounds); i > 0; i--) hash = createHash('sha256').update(hash).digest();
    return `+${hash.toString('hex')}\r`;
  }
}

const size = Number(processes);
@Worker('busy', { minWorkers: size, maxWorkers: size, accept: mode === 'shared' ? 'shared' : 'master', connections: [Busy] })
class BusyWorker {}

@Module({ workers: [BusyWorker] })
class BusyModule {}

const app = await bootstrap(BusyModule, { logger: false });
console.log(app.address(Busy).port);
