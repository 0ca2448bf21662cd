import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a run of specs ended. */
export interface Outcome {
  readonly passed: boolean;
  readonly seconds: number;
  /** The first test that failed, or that the run took too long. */
  readonly why: string;
}

interface Report {
  readonly failures: readonly { readonly fullTitle: string }[];
  readonly tests: readonly { readonly duration?: number }[];
}

/** Milliseconds that a run may take beyond three times what it took unchanged, and a test beyond three times the slowest. */
const GRACE = 10_000;
const TEST_GRACE = 5_000;

interface Usual {
  readonly run: number;
  readonly test: number;
}

/** A copy of the compiled project in which one file at a time is changed: what others build meanwhile does not meet it. */
export class Sandbox {
  readonly #root = mkdtempSync(join(tmpdir(), 'mutants-'));
  /** The folder of its compiled specs. */
  readonly specs = join(this.#root, 'dist/spec');
  readonly #report = join(this.#root, 'report.json');
  /** Milliseconds that each round of specs takes unchanged. */
  readonly #usual = new Map<string, Usual>();
  #running: number | undefined;

  constructor(project: string) {
    for (const name of readdirSync(project))
      if (name === 'dist') cpSync(join(project, name), join(this.#root, name), { recursive: true });
      else symlinkSync(join(project, name), join(this.#root, name));
  }

  /** Whether the changed file is a program that can be compiled. */
  isProgram(file: string, text: string): Promise<boolean> {
    return this.#with(file, text, path =>
      Promise.resolve(spawnSync(process.execPath, ['--check', path], { stdio: 'ignore' }).status === 0),
    );
  }

  /** Runs specs against the changed file, up to the first that fails; the time limits come from a run without the change. */
  async run(file: string, text: string, specs: readonly string[]): Promise<Outcome> {
    const key = specs.join(' ');
    const usual = this.#usual.get(key) ?? (await this.#measure(specs));
    this.#usual.set(key, usual);
    return this.#with(file, text, () => this.#mocha(specs, { run: 3 * usual.run + GRACE, test: 3 * usual.test + TEST_GRACE }));
  }

  close(): void {
    this.#kill();
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #measure(specs: readonly string[]): Promise<Usual> {
    const { passed, why, seconds } = await this.#mocha(specs, { run: 600_000, test: 120_000 });
    if (!passed) throw new Error(`without any change these fail already: ${why}`);
    const { tests } = JSON.parse(readFileSync(this.#report, 'utf8')) as Report;
    return { run: seconds * 1000, test: Math.max(0, ...tests.map(({ duration = 0 }) => duration)) };
  }

  async #with<T>(file: string, text: string, use: (path: string) => Promise<T>): Promise<T> {
    const path = join(this.#root, file);
    const original = readFileSync(path, 'utf8');
    writeFileSync(path, text);
    try {
      return await use(path);
    } finally {
      writeFileSync(path, original);
    }
  }

  #mocha(specs: readonly string[], limits: Usual): Promise<Outcome> {
    const began = performance.now();
    rmSync(this.#report, { force: true });
    const reporter = ['--reporter', 'json', '--reporter-option', `output=${this.#report}`];
    const options = ['--bail', '--timeout', String(Math.ceil(limits.test)), ...reporter];
    const files = specs.map(spec => join('dist/spec', spec));
    // A group of its own, so that processes that a changed file leaves behind end with it.
    const child = spawn(process.execPath, ['node_modules/mocha/bin/mocha.js', ...options, ...files], {
      cwd: this.#root,
      stdio: 'ignore',
      detached: true,
    });
    this.#running = child.pid;
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        this.#kill();
      }, limits.run);
      child.once('error', reject);
      child.once('exit', code => {
        clearTimeout(timer);
        this.#kill();
        const why = isLate ? 'it took too long' : (this.#firstFailure() ?? `it ended with ${code}`);
        resolve({ passed: code === 0, seconds: (performance.now() - began) / 1000, why });
      });
    });
  }

  #firstFailure(): string | undefined {
    try {
      return (JSON.parse(readFileSync(this.#report, 'utf8')) as Report).failures[0]?.fullTitle;
    } catch {
      // It did not come so far as to write one.
      return undefined;
    }
  }

  #kill(): void {
    if (this.#running === undefined) return;
    try {
      process.kill(-this.#running, 'SIGKILL');
    } catch {
      // The whole group has ended.
    }
    this.#running = undefined;
  }
}
