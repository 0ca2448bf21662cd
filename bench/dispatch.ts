import { bare } from './dispatch/bare.js';
import { packet } from './dispatch/packet.js';
import { pools } from './dispatch/pools.js';
import { callOnce } from './dispatch/work.js';
import { drive } from './kit/drive.js';
import { chosen, readOptions } from './kit/options.js';
import { report } from './kit/report.js';
import { runRounds } from './kit/rounds.js';

const SETTINGS = [1, 64, 1000].map(inFlight => ({ name: `${inFlight} in flight`, inFlight }));

/** Calls a second through one worker: a small object there, a small object back, every answer looked at. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 7, ms: 200 });
  const contenders = chosen([packet, ...pools, ...bare], options);
  const settings = SETTINGS.filter(({ inFlight }) => options.at?.includes(inFlight) ?? true);
  const figures = await runRounds(contenders, settings, options.rounds, (call, { inFlight }, warmUp) =>
    drive(() => callOnce(call), inFlight, warmUp ? 300 : options.ms),
  );
  report('dispatch', 'calls/s', figures);
}
