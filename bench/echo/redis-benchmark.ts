import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Requests a second, by a client that was not written here. It sends the line `PING` (an inline command of Redis) and takes
 * any line that begins with `+` for the answer, so a server that echoes the line behind a `+` can be measured.
 */
export async function redisBenchmark(port: number, requests: number, pipeline: number): Promise<number> {
  const args = ['-h', '127.0.0.1', '-p', `${port}`, '-c', '50', '-n', `${requests}`, '-P', `${pipeline}`, '-t', 'ping_inline', '--csv'];
  const { stdout } = await run('redis-benchmark', args, { timeout: 120_000 });
  const rate = Number(/^"PING_INLINE","([\d.]+)"/m.exec(stdout)?.[1]);
  if (!(rate > 0)) throw new Error(`redis-benchmark said: ${stdout}`);
  return rate;
}
