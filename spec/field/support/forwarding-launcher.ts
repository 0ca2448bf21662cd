import { spawn } from 'node:child_process';

/**
 * Starts a Node program in its own process group and passes SIGINT and SIGTERM on to it, as npm does: one Ctrl-C, which the terminal
 * sends to the whole group, arrives at the program twice.
 */
const child = spawn(process.execPath, process.argv.slice(2), { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 0)));
