// Not the global: the worker's code may replace that.
import process from 'node:process';
import type { Socket } from 'node:net';
import { fstatSync } from 'node:fs';
import { CWD_VARIABLE, LINK_FD, MARK_FD, RIGHTS_VARIABLE, WATCHDOG_VARIABLE, WORKER_VARIABLE } from '../../hosts/child-contract.js';
import { setBlocking } from '../../node-internals.js';
import { openSocketChannel } from '../../hosts/socket-channel.js';
import { SocketQueue } from '../sockets/socket-queue.js';
import { LinkSocket } from './link-socket.js';
import { FileStartedMark, type StartedMark } from '../started-mark.js';
import { guard, NO_VICTIM } from '../../guard.js';

/** Ctrl-C and a service manager's SIGTERM reach the whole process group: a worker obeys its link, not them. */
const IGNORED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Milliseconds between checks of a worker whether its parent still lives, where it has no other way to know. */
const WATCH = 500;

/** A worker process's connections to its master. */
export interface ProcessLink {
  readonly stream: Socket;
  readonly mark: StartedMark;
  /** Sockets that the master passes; undefined where it will pass none. */
  readonly arrivals: SocketQueue | undefined;
  /** The scopes that its `permissions` grant it; undefined where it has none. */
  readonly granted?: readonly string[] | undefined;
}

/**
 * Makes a process a worker's: the first thing that runs in it, before any code of the application.
 * @throws Error when this process was not started by a process host.
 */
export function prepareProcess(): ProcessLink {
  for (const signal of IGNORED) process.on(signal, () => {});
  const { [CWD_VARIABLE]: cwd, [WATCHDOG_VARIABLE]: watchdog, [RIGHTS_VARIABLE]: granted } = process.env;
  for (const name of [CWD_VARIABLE, WATCHDOG_VARIABLE, RIGHTS_VARIABLE, WORKER_VARIABLE]) delete process.env[name];
  if (cwd !== undefined) process.chdir(cwd);
  if (watchdog !== undefined) watchParent();
  // Output printed before a crash is not lost, and a worker that prints without end waits for the master to read.
  for (const stream of [process.stdout, process.stderr]) setBlocking(stream);
  if (!isSocket(LINK_FD)) throw new Error('this file is what a worker process runs first: packet-ts starts it, with a link to the master');
  const arrivals = new SocketQueue(handle => handle.close());
  const takesSockets = openSocketChannel(process, arrivals.onArrival);
  return {
    stream: new LinkSocket(LINK_FD),
    mark: new FileStartedMark(MARK_FD),
    arrivals: takesSockets ? arrivals : undefined,
    granted: granted?.split(',').filter(scope => scope !== ''),
  };
}

function isSocket(fd: number): boolean {
  try {
    // `bigint`: Node's module loader takes the numbers of the last other stat for its own: after a socket it stops following symbolic links
    // (`realpathSync` with a cache), and a package that is linked, as pnpm, workspaces and `npm link` do, would be loaded twice.
    return fstatSync(fd, { bigint: true }).isSocket();
  } catch {
    return false;
  }
}

/** A thread, because the loop of this one may be busy for ever. It does not read: a blocking read would hold up `process.exit()`. */
function watchParent(): void {
  const code = `setInterval(() => { if (process.ppid !== ${process.ppid}) process.kill(process.pid, 'SIGKILL') }, ${WATCH})`;
  const { Worker } = process.getBuiltinModule('node:worker_threads'); // Loaded where it is needed: hardly ever.
  const watchdog = new Worker(code, { eval: true, execArgv: [], stdout: false, stderr: false });
  watchdog.on(
    'error',
    guard(NO_VICTIM, (error: Error) => {
      process.stderr.write(`cannot see whether the master of this worker lives: ${error.message}\n`);
    }),
  );
  watchdog.unref();
}
