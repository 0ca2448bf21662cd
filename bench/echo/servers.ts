import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Contender } from '../kit/contender.js';
import { ended } from '../kit/exit.js';

/** A server in a process of its own; its subject is the port, the first thing that it prints. */
export function server(name: string, file: string): Contender<number> {
  return {
    name,
    start: async () => {
      const path = fileURLToPath(new URL(`./servers/${file}.js`, import.meta.url));
      const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      return { subject: Number(port), stop: () => ended(child) };
    },
  };
}
