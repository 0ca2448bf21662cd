import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Contender, Running } from '../kit/contender.js';
import { ended } from '../kit/exit.js';

/** Its process can be asked to end by itself. */
interface ServerContender extends Contender<number> {
  start(): Promise<Running<number> & { stop(signal?: NodeJS.Signals): Promise<void> }>;
}

/** A server in a process of its own; its subject is the port, the first thing that it prints. */
export function server(name: string, file: string, execArgv: readonly string[] = []): ServerContender {
  return {
    name,
    start: async () => {
      const path = fileURLToPath(new URL(`./servers/${file}.js`, import.meta.url));
      const child = spawn(process.execPath, [...execArgv, path], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      return { subject: Number(port), stop: (signal?: NodeJS.Signals) => ended(child, signal) };
    },
  };
}
