import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packetWith } from './dispatch/packet.js';
import { callOnce } from './dispatch/work.js';
import { redisBenchmark } from './echo/redis-benchmark.js';
import { packetEcho } from './echo/servers.js';
import { printSelfTimes, type CpuProfile } from './kit/cpu-profile.js';
import { drive } from './kit/drive.js';
import { readOptions } from './kit/options.js';

/** Microseconds between samples. */
const INTERVAL = 200;

/** Where the time goes: `npm run bench profile -- --only dispatch --at 64 --ms 3000`, `--only echo --at 16`. */
export async function run(argv: readonly string[]): Promise<void> {
  const { only, at, ms } = readOptions(argv, { rounds: 1, ms: 3000 });
  if (only.length === 0 || only.includes('dispatch')) for (const inFlight of at ?? [1, 64, 1000]) await dispatch(inFlight, ms);
  if (only.length === 0 || only.includes('echo')) for (const pipeline of only.length > 0 && at ? at : [1, 16]) await echo(pipeline, ms);
}

async function dispatch(inFlight: number, ms: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'packet-ts-profile-'));
  const execArgv = [...process.execArgv, ...profiling(folder)];
  const { subject, stop } = await packetWith({ execArgv }).start();
  await drive(() => callOnce(subject), inFlight, 500);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: INTERVAL });
  await session.post('Profiler.start');
  const { rate } = await drive(() => callOnce(subject), inFlight, ms);
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  await stop();
  printSelfTimes(`dispatch, ${inFlight} in flight (${Math.round(rate)} calls/s while profiled), master`, profile);
  for (const [pid, worker] of readProfiles(folder)) printSelfTimes(`worker ${pid}`, worker);
}

async function echo(pipeline: number, ms: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'packet-ts-profile-'));
  const { subject, stop } = await packetEcho(profiling(folder)).start();
  const rate = await redisBenchmark(subject.port, Math.round((ms * (pipeline === 1 ? 100_000 : 500_000)) / 1000), pipeline);
  await stop('SIGTERM');
  for (const [, profile] of readProfiles(folder))
    printSelfTimes(`echo, ${pipeline} pipelined (${Math.round(rate)} requests/s while profiled)`, profile);
}

function profiling(folder: string): string[] {
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL}`];
}

function readProfiles(folder: string): [pid: string, profile: CpuProfile][] {
  const profiles = readdirSync(folder).map((name): [string, CpuProfile] => [
    name.split('.')[3] ?? name,
    JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile,
  ]);
  rmSync(folder, { recursive: true });
  return profiles;
}
