/** The example eval-server, as its specs start and ask it. */
import { spawnScript, type Script, type TcpClient } from '../../kit/index.js';

/** The example listens there, whoever starts it. */
export const PORT = 11_006;

/** What reaches the worker's own process from inside the vm: it is no wall, which is why there is a process around it. */
export const ESCAPE = `this.constructor.constructor('return process')()`;

/** Starts it; resolves when it listens. */
export async function startEvalServer(): Promise<Script> {
  const server = spawnScript(new URL('../../../examples/eval-server/main.js', import.meta.url));
  await server.line(/11006/);
  return server;
}

export async function ask(client: TcpClient, source: string): Promise<string> {
  await client.send(`${source}\n`);
  return client.line({ within: '10s' });
}
