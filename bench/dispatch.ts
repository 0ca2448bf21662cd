import { bare } from './dispatch/bare.js';
import { nest } from './dispatch/nest.js';
import { packet, packetThread } from './dispatch/packet.js';
import { piscina, pools } from './dispatch/pools.js';
import { callOnce, warm } from './dispatch/work.js';
import { Arrivals } from './kit/arrivals.js';
import type { Measured } from './kit/contender.js';
import { spending } from './kit/cpu.js';
import { drive, offer } from './kit/drive.js';
import { chosen, readOptions } from './kit/options.js';
import { report, type Table } from './kit/report.js';
import { runRounds } from './kit/rounds.js';

const IN_FLIGHT = [1, 4, 8, 16, 32, 64, 1000];

const TABLES: readonly Table[] = [
  { key: 'cpu', unit: 'µs of CPU a call, user and system, all processes', better: 'less' },
  { key: 'rate', unit: 'calls a second', better: 'more' },
  { key: 'p50', unit: 'µs, half of the calls', better: 'less' },
  { key: 'p99', unit: 'µs, 99 of 100 calls', better: 'less' },
  { key: 'master', unit: 'µs of the master’s main thread a call', better: 'less' },
];

/** So many at once, or so many a second. */
type Setting = { readonly name: string } & ({ readonly inFlight: number } | { readonly perSecond: number });

/**
 * Calls through one worker: a small object there, a small object back, every answer looked at. `--at 0` is the fixed load: half of what
 * Piscina can do at most.
 */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 7, ms: 150 });
  const contenders = chosen([packet, packetThread, ...pools, ...bare, nest], options);
  const settings: Setting[] = IN_FLIGHT.filter(count => options.at?.includes(count) ?? true).map(inFlight => ({
    name: `${inFlight} in flight`,
    inFlight,
  }));
  if (options.at?.includes(0) ?? true) {
    const perSecond = Math.round((await most(options.ms)) / 2);
    settings.push({ name: `${perSecond} a second`, perSecond });
  }
  const arrivals = new Arrivals();
  try {
    const figures = await runRounds(contenders, settings, options.rounds, async (call, setting, warmUp) => {
      if (warmUp) await warm(call);
      const ms = warmUp ? 300 : options.ms;
      const { result, cpu } = await spending<Measured & { readonly done: number }>(async () =>
        'inFlight' in setting
          ? { ...(await drive(() => callOnce(call), setting.inFlight, ms)) }
          : { ...(await offer(arrivals, () => callOnce(call), { perSecond: setting.perSecond, ms: 2 * ms })) },
      );
      return { ...result, cpu: cpu / result.done };
    });
    report('dispatch', TABLES, figures);
  } finally {
    await arrivals.stop();
  }
}

/** What Piscina with its defaults does at most, in calls a second. */
async function most(ms: number): Promise<number> {
  const { subject, stop } = await piscina.start();
  await drive(() => callOnce(subject), 64, 300);
  const rates: number[] = [];
  for (const inFlight of [1, 64, 1000]) rates.push((await drive(() => callOnce(subject), inFlight, 2 * ms)).rate);
  await stop();
  return Math.max(...rates);
}
