import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './needs-program.js';
import { spawnProgram, type Script } from './spawn-script.js';

export interface NatsServerOptions {
  /** Default: one that is free. */
  readonly port?: number;
  /** Lines of a configuration file. */
  readonly config?: string;
  readonly args?: readonly string[];
}

/** A server of NATS that a spec started, on the loopback. It ends with the spec. */
export class NatsServer {
  readonly port: number;
  readonly script: Script;

  constructor(script: Script, port: number) {
    this.script = script;
    this.port = port;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Ends it at once, as a lost machine. */
  async kill(): Promise<void> {
    this.script.kill('SIGKILL');
    await this.script.exit();
  }
}

/** Starts a server; it takes connections when this resolves. */
export async function natsServer({ port, config, args = [] }: NatsServerOptions = {}): Promise<NatsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'packet-nats-'));
  const file = join(folder, 'nats.conf');
  if (config !== undefined) writeFileSync(file, config);
  const script = spawnProgram(findProgram('nats-server') ?? 'nats-server', [
    '-a',
    '127.0.0.1',
    '-p',
    String(port ?? -1),
    ...(config === undefined ? [] : ['-c', file]),
    ...args,
  ]);
  const line = await script.errorLine(/Listening for client connections on/);
  await script.errorLine(/Server is ready/);
  rmSync(folder, { recursive: true, force: true });
  return new NatsServer(script, Number(/:(\d+)\s*$/.exec(line)![1]));
}

/** A port of the loopback that nothing listens on: for servers that must know each other's before they start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
