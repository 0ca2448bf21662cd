import { fileURLToPath } from 'node:url';
import { spawnScript, type Script, type ScriptOptions } from '../kit/index.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** A file of spec/fixtures/cli, compiled. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/cli/${name}`, import.meta.url));
}

/** Starts `packet-ts` with these arguments. */
export function packetTs(args: readonly string[], options: ScriptOptions = {}): Script {
  return spawnScript(MAIN, args, { execArgv: [], ...options });
}

/** How a command ended, and what it printed. */
export interface CommandOutcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. */
export async function outcomeOf(args: readonly string[], options: ScriptOptions = {}): Promise<CommandOutcome> {
  const script = packetTs(args, options);
  const { code } = await script.exit({ within: '30s' });
  return { code, out: script.stdout.text, err: script.stderr.text };
}

/** The port in the first line of the log that says where something listens. */
export async function portOf(script: Script): Promise<number> {
  const line = await script.errorLine(/"port":\d+/, { within: '20s' });
  return Number(/"port":(\d+)/.exec(line)![1]);
}
