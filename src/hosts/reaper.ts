import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { guard, NO_VICTIM } from '../guard.js';

const SHELL = '/bin/sh';

/**
 * Only what the shell itself can do, no other program: it must work when nothing else does.
 * Signals are ignored, so that a Ctrl-C for the whole group, or systemd's SIGTERM, leaves it watching.
 */
const SCRIPT = `trap '' INT TERM HUP QUIT PIPE
pids=' '
while read -r line; do
  pid=\${line#?}
  case $line in
    +*) pids="$pids$pid " ;;
    -*) case $pids in *" $pid "*) pids="\${pids%%" $pid "*} \${pids#*" $pid "}" ;; esac ;;
  esac
done
for pid in $pids; do kill -9 "$pid"; done`;

/**
 * Nothing outlives the master: a shell in its own session that is told the pid of each worker, and kills what is left
 * when its stdin ends, which is when the master is gone, however it went. That reaches workers that cannot notice by themselves:
 * those that compute without end, and stopped ones.
 *
 * One per master; it starts with the first worker (about 5 ms, 1.7 MB) and never keeps the master running.
 */
export class Reaper {
  readonly #shell: string;
  readonly #pids = new Set<number>();
  #process: ChildProcess | undefined;
  #closing: Promise<void> | undefined;

  constructor(shell: string = SHELL) {
    this.#shell = shell;
  }

  /** False where there is no shell: then each worker watches by itself whether its parent is still there. */
  get available(): boolean {
    return existsSync(this.#shell);
  }

  /** The shell's pid, while it runs. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** From now on this process ends when the master does. */
  watch(pid: number): void {
    this.#pids.add(pid);
    if (this.#process) this.#tell(`+${pid}\n`);
    else this.#start();
  }

  /** This process has ended: its number may soon be somebody else's. */
  forget(pid: number): void {
    if (this.#pids.delete(pid)) this.#tell(`-${pid}\n`);
  }

  /** Ends the shell; whatever is still watched is killed by it. */
  close(): Promise<void> {
    this.#closing ??= new Promise(resolve => {
      const shell = this.#process;
      this.#process = undefined;
      if (!shell) return resolve();
      shell.ref();
      shell.once(
        'exit',
        guard(NO_VICTIM, () => resolve()),
      );
      shell.stdin?.end();
    });
    return this.#closing;
  }

  #tell(text: string): void {
    if (this.#process?.stdin?.writable) this.#process.stdin.write(text);
  }

  #start(): void {
    if (this.#closing || !this.available) return;
    let shell: ChildProcess;
    try {
      shell = spawn(this.#shell, ['-c', SCRIPT], { cwd: '/', env: {}, detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    } catch {
      return; // No process to be had at this moment: the next worker tries again.
    }
    this.#process = shell;
    shell.on(
      'error',
      guard(NO_VICTIM, () => this.#lost(shell)),
    );
    shell.once(
      'exit',
      guard(NO_VICTIM, () => this.#lost(shell)),
    );
    shell.stdin?.on('error', () => {});
    shell.unref();
    (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
    for (const pid of this.#pids) this.#tell(`+${pid}\n`);
  }

  /** Somebody killed it, or it never came up: a worker that lives gets another one at once, but not endlessly. */
  #lost(shell: ChildProcess): void {
    if (this.#process !== shell) return;
    const ran = shell.pid !== undefined;
    this.#process = undefined;
    if (ran && this.#pids.size > 0) this.#start();
  }
}

let shared: Reaper | undefined;
let users = 0;

/** The master's one reaper, however many hosts it has. Each host gives it back once. */
export function shareReaper(): { readonly reaper: Reaper; release(): Promise<void> } {
  users++;
  const reaper = (shared ??= new Reaper());
  let released: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    if (--users > 0) return;
    shared = undefined;
    await reaper.close();
  };
  return { reaper, release: () => (released ??= release()) };
}
