import { spawn } from 'node:child_process';
import { ignoreCpuOf } from './cpu.js';
import { ended } from './exit.js';

/** Ends by itself when its parent does: its stdin is closed then. */
const BURN = `process.stdin.on('end', () => process.exit()).resume(); (function burn() { for (const end = Date.now() + 50; Date.now() < end;); setImmediate(burn); })()`;

/** One process that always wants a processor: what a machine looks like that has other things to do. Gives what ends it. */
export function startBurner(): () => Promise<void> {
  const child = spawn(process.execPath, ['-e', BURN], { stdio: ['pipe', 'ignore', 'ignore'] });
  if (child.pid !== undefined) ignoreCpuOf(child.pid);
  return () => ended(child);
}
