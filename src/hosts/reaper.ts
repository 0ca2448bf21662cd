import { spawn, type ChildProcess } from 'node:child_process';
import { guard, NO_VICTIM } from '../guard.js';
import { monotonicNow } from '../system-timers.js';

const SHELL = '/bin/sh';
/** A shell that lives no longer than this, in milliseconds, does not do what it should; after so many in succession none is tried any more. */
const QUICK = 1_000;
const MOST_QUICK_DEATHS = 5;

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
  /** Shells in succession that ended within {@link QUICK}. */
  #quickDeaths = 0;

  constructor(shell: string = SHELL) {
    this.#shell = shell;
  }

  /**
   * Starts the shell where it does not run yet. False where it cannot be run: none is there, it may not be executed, or it ends at once.
   * Then each worker watches by itself whether its parent is still there.
   */
  begin(): boolean {
    if (!this.#process) this.#start();
    return this.#process !== undefined;
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

  /** Removes a process that has ended: its pid may soon be another's. */
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
    if (this.#closing || this.#quickDeaths >= MOST_QUICK_DEATHS) return;
    let shell: ChildProcess;
    try {
      shell = spawn(this.#shell, ['-c', SCRIPT], { cwd: '/', env: {}, detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    } catch {
      return; // No process to be had at this moment: the next worker tries again.
    }
    const startedAt = monotonicNow();
    const lost = guard(NO_VICTIM, () => this.#lost(shell, startedAt));
    shell.on('error', lost);
    // A shell that the system will not run has no pid, and an 'error' later.
    if (shell.pid === undefined) return;
    this.#process = shell;
    shell.once('exit', lost);
    shell.stdin?.on('error', () => {});
    shell.unref();
    (shell.stdin as unknown as { unref?(): void } | null)?.unref?.();
    for (const pid of this.#pids) this.#tell(`+${pid}\n`);
  }

  /** The shell was killed, or cannot do its work: while workers live another one is started, a few times where each ends at once. */
  #lost(shell: ChildProcess, startedAt: number): void {
    if (this.#process !== shell) return;
    this.#process = undefined;
    this.#quickDeaths = monotonicNow() - startedAt < QUICK ? this.#quickDeaths + 1 : 0;
    if (this.#pids.size > 0) this.#start();
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
