import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ended } from './exit.js';

/** Runs a program that prints one number and ends. */
export async function printed(file: URL, args: readonly string[] = []): Promise<number> {
  const child = spawn(process.execPath, [file.pathname, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  try {
    await once(child, 'close');
  } finally {
    await ended(child);
  }
  const figure = Number.parseFloat(text);
  if (!(figure > 0)) throw new Error(`${file.pathname} printed ${JSON.stringify(text)}`);
  return figure;
}
