import { packet } from './dispatch/packet.js';
import { callOnce, warm } from './dispatch/work.js';
import type { Measured } from './kit/contender.js';
import { spending } from './kit/cpu.js';
import { drive } from './kit/drive.js';
import { chosen, readOptions } from './kit/options.js';
import { report, type Table } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { mesh, moleculer, nest, raw, request } from './mesh/contenders.js';

const IN_FLIGHT = [1, 64, 1000];

const TABLES: readonly Table[] = [
  { key: 'cpu', unit: 'µs of CPU a call, user and system, all processes, the server of NATS included', better: 'less' },
  { key: 'rate', unit: 'calls a second', better: 'more' },
  { key: 'p50', unit: 'µs, half of the calls', better: 'less' },
  { key: 'p99', unit: 'µs, 99 of 100 calls', better: 'less' },
];

/** Calls through one worker on another host: server, caller and worker are processes of this machine. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 5, ms: 300 });
  const contenders = chosen([mesh, raw, request, nest, moleculer, packet], options);
  const settings = IN_FLIGHT.filter(count => options.at?.includes(count) ?? true).map(inFlight => ({
    name: `${inFlight} in flight`,
    inFlight,
  }));
  const figures = await runRounds(contenders, settings, options.rounds, async (call, { inFlight }, warmUp): Promise<Measured> => {
    if (warmUp) await warm(call);
    const { result, cpu } = await spending(() => drive(() => callOnce(call), inFlight, warmUp ? 300 : options.ms));
    return { ...result, cpu: cpu / result.done };
  });
  report('mesh', TABLES, figures);
}
