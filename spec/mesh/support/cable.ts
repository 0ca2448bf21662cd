import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { findProgram, spawnProgram, waitFor, type Script } from '../../kit/index.js';

const PROGRAMS = ['ip', 'nsenter', 'unshare', 'sleep'] as const;

/** Longer than any spec; the holders of the namespaces are ended before. */
const FOREVER = '3600';

const namespaceOf = (pid: number | 'self'): string => readlinkSync(`/proc/${pid}/ns/net`);

function run(program: (typeof PROGRAMS)[number], ...args: readonly string[]): string {
  return execFileSync(findProgram(program)!, args, { stdio: 'pipe' }).toString();
}

let last = 0;

/**
 * A second network namespace, and the cable between it and this one: two pairs of interfaces and a bridge in a third, so that neither end
 * sees its own interface go when the cable is cut. Everything is gone when the spec has ended.
 */
export class Cable {
  /** Address of this side. */
  readonly near: string;
  /** Address of the other side. */
  readonly far: string;
  readonly #farSide: Script;
  readonly #between: Script;

  private constructor(net: number, farSide: Script, between: Script) {
    this.near = `10.77.${net}.1`;
    this.far = `10.77.${net}.2`;
    this.#farSide = farSide;
    this.#between = between;
  }

  static async lay(): Promise<Cable> {
    const holders = [
      spawnProgram(findProgram('unshare')!, ['-n', 'sleep', FOREVER]),
      spawnProgram(findProgram('unshare')!, ['-n', 'sleep', FOREVER]),
    ];
    await waitFor(() => holders.every(({ pid }) => namespaceOf(pid) !== namespaceOf('self')), { what: 'the namespaces' });
    const net = ++last;
    const cable = new Cable(net, holders[0]!, holders[1]!);
    const [near, far] = [`cable${net}a`, `cable${net}b`];
    run('ip', 'link', 'add', near, 'type', 'veth', 'peer', 'name', 'near', 'netns', String(cable.#between.pid));
    cable.#inBetween('link', 'add', 'far', 'type', 'veth', 'peer', 'name', far, 'netns', String(cable.#farSide.pid));
    cable.#inBetween('link', 'add', 'cable', 'type', 'bridge');
    for (const port of ['near', 'far']) cable.#inBetween('link', 'set', port, 'master', 'cable', 'up');
    cable.#inBetween('link', 'set', 'cable', 'up');
    run('ip', 'address', 'add', `${cable.near}/24`, 'dev', near);
    run('ip', 'link', 'set', near, 'up');
    cable.#ipAfar('address', 'add', `${cable.far}/24`, 'dev', far);
    cable.#ipAfar('link', 'set', far, 'up');
    cable.#ipAfar('link', 'set', 'lo', 'up');
    return cable;
  }

  /** Nothing passes from now on, and neither end is told. */
  cut(): void {
    this.#inBetween('link', 'set', 'far', 'down');
  }

  mend(): void {
    this.#inBetween('link', 'set', 'far', 'up');
  }

  /** Starts a script of node at the other end. */
  script(file: URL, args: readonly string[], env: Readonly<Record<string, string>>): Script {
    const there = ['-t', String(this.#farSide.pid), '-n', process.execPath, ...process.execArgv, file.pathname, ...args];
    return spawnProgram(findProgram('nsenter')!, there, { env });
  }

  #ipAfar(...args: readonly string[]): void {
    run('nsenter', '-t', String(this.#farSide.pid), '-n', findProgram('ip')!, ...args);
  }

  #inBetween(...args: readonly string[]): void {
    run('nsenter', '-t', String(this.#between.pid), '-n', findProgram('ip')!, ...args);
  }
}

/** Why no cable can be laid here; undefined: one can. */
function obstacle(): string | undefined {
  const missing = PROGRAMS.filter(name => findProgram(name) === undefined);
  if (missing.length > 0) return `${missing.join(', ')} not installed (scripts/install-programs.sh)`;
  try {
    run('unshare', '-n', findProgram('ip')!, 'link', 'add', 'cable', 'type', 'bridge');
    return undefined;
  } catch (error) {
    return `no network namespace can be made: ${String((error as { stderr?: unknown }).stderr ?? error).trim()}`;
  }
}

/** Whether cables can be laid and cut here: needs root on Linux. Where not, a test says so, which fails where `CI=true`. */
export function needsCable(): boolean {
  const why = obstacle();
  if (why === undefined) return true;
  it(`cannot be tried here: ${why}`, () => {
    if (process.env['CI'] === 'true') throw new Error(`cables must be cut where CI=true: ${why}`);
  });
  return false;
}
