import { spawn, type ChildProcess } from 'node:child_process';
import { ended } from '../kit/exit.js';

/** A server of NATS on a free port of the loopback. */
export interface Broker {
  readonly url: string;
  stop(): Promise<void>;
}

export async function broker(): Promise<Broker> {
  const child = spawn('nats-server', ['-a', '127.0.0.1', '-p', '-1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  let text = '';
  for await (const chunk of child.stderr) {
    text += String(chunk);
    const url = /Listening for client connections on (\S+)/.exec(text)?.[1];
    if (url !== undefined && text.includes('Server is ready')) {
      child.stderr.resume();
      return { url: `nats://${url}`, stop: () => ended(child) };
    }
  }
  throw new Error(`nats-server did not start: ${text}`);
}

/** Another process of the benchmark; it is ready when it has printed a line. */
export async function peer(file: URL, ...args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [file.pathname, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', code => reject(new Error(`${file.pathname} ended with ${code}`)));
  });
  return child;
}
