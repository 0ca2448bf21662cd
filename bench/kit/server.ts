import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Contender, Running } from './contender.js';
import { cpuOf } from './cpu.js';
import { ended } from './exit.js';

/** A server in a process of its own. */
export interface Serving {
  readonly port: number;
  /** Microseconds of processor time that it has had; undefined where the system does not tell. */
  cpu(): number | undefined;
}

/** Its process can be asked to end by itself. */
export interface ServerContender extends Contender<Serving> {
  start(): Promise<Running<Serving> & { stop(signal?: NodeJS.Signals): Promise<void> }>;
}

/** Starts a program that prints its port first of all; a module for Node unless another `program` is named. */
export function server(name: string, file: URL, { execArgv = [], program = process.execPath, env }: ServerOptions = {}): ServerContender {
  return {
    name,
    start: async () => {
      const child = spawn(program, [...execArgv, fileURLToPath(file)], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...env },
      });
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      const subject = { port: Number(port), cpu: () => cpuOf(child.pid!) };
      return { subject, stop: (signal?: NodeJS.Signals) => ended(child, signal) };
    },
  };
}

export interface ServerOptions {
  readonly execArgv?: readonly string[];
  readonly program?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}
