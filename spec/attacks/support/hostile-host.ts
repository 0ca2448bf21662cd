import type { Duplex } from 'node:stream';
import type { Host, HostExit, HostProcess, HostSpec } from '../../../src/hosts/host.js';
import { duplexPair } from '../../../src/wire/link/duplex-pair.js';
import { FrameReader } from '../../../src/wire/link/frames.js';
import { Kind } from '../../../src/wire/link/protocol.js';
import { tasks } from '../../workers/support/blueprint.js';
import { attack, bytesOf, Dice, hello, MUTATION_COUNT, ready, type Situation } from './hostile-frames.js';

/** Of frames that a worker at work writes, so many are wrong. */
const WRONG = 0.12;

/** A process that speaks the wire byte by byte, and means harm. It dies only by being killed, or when it is told to stop. */
class HostileWorker implements HostProcess, Situation {
  readonly stream: Duplex;
  readonly name: string;
  readonly tasks = tasks.map(({ name }) => name);
  readonly live: number[] = [];
  highest = 0;
  readonly #theirs: Duplex;
  readonly #dice: Dice;
  readonly #tally: Tally;
  #exit: HostExit | undefined;
  #exited: ((exit: HostExit) => void) | undefined;

  constructor(
    readonly pid: number,
    spec: HostSpec,
    dice: Dice,
    tally: Tally,
  ) {
    this.name = spec.name;
    this.#dice = dice;
    this.#tally = tally;
    [this.stream, this.#theirs] = duplexPair();
    this.#theirs.on('error', () => {});
    this.#theirs.on('close', () => this.#die('SIGKILL'));
    this.#theirs.on('end', () => this.#die('SIGKILL'));
    const frames = new FrameReader(0, (kind, id) => this.#heard(kind, id));
    this.#theirs.on('data', (chunk: Buffer) => frames.push(chunk));
  }

  /** What it claims to have begun: anything. */
  mark(): number {
    return this.#dice.pick([0, this.highest, 0xffff_ffff]);
  }
  kill(): void {
    this.#die('SIGKILL');
  }
  onExit(exited: (exit: HostExit) => void): void {
    this.#exited = exited;
  }
  rss(): undefined {}
  isStopped(): boolean {
    return false;
  }
  keepAlive(): void {}

  #heard(kind: number, id: number): void {
    if (kind === Kind.BOOT) this.#boot();
    else if (kind === Kind.STOP) this.#die(null);
    else if (kind === Kind.CALL || kind === Kind.MAIL) {
      this.live.push(id);
      this.highest = id;
    }
  }

  /** Honest as a rule, so that the later phases are reached. */
  #boot(): void {
    if (this.#dice.chance(0.05)) return this.#write([attack(this.#dice, this, 0.5)]);
    this.#write([{ bytes: bytesOf(hello(this)), used: -1 }]);
    if (this.#dice.chance(0.05)) return this.#write([attack(this.#dice, this, 0.5)]);
    this.#write([{ bytes: bytesOf(ready), used: -1 }]);
    this.#strike();
  }

  #strike(): void {
    this.#write(
      Array.from({ length: 1 + this.#dice.roll(12) }, () => {
        const strike = attack(this.#dice, this, WRONG);
        const { kind, id } = strike.frame;
        if (strike.used < 0 && (kind === Kind.REPLY || kind === Kind.FAILURE || kind === Kind.END || kind === Kind.DROPPED)) {
          const at = this.live.indexOf(id);
          if (at >= 0) this.live.splice(at, 1);
        }
        return strike;
      }),
    );
    // It goes on without being asked, as long as it lives.
    setImmediate(() => {
      if (!this.#exit) this.#strike();
    });
  }

  /** In chunks that end anywhere. */
  #write(strikes: readonly { bytes: Buffer; used: number }[]): void {
    for (const { used } of strikes) this.#tally.count(used);
    const all = Buffer.concat(strikes.map(({ bytes }) => bytes));
    for (let at = 0; at < all.length;) {
      const length = this.#dice.chance(0.7) ? all.length - at : 1 + this.#dice.roll(all.length - at);
      if (!this.#theirs.destroyed) this.#theirs.write(all.subarray(at, at + length));
      at += length;
    }
  }

  #die(signal: NodeJS.Signals | null): void {
    if (this.#exit) return;
    const exit = (this.#exit = { exitCode: signal ? null : 0, signal, stderr: '', memory: false });
    this.#tally.lives++;
    this.#theirs.destroy();
    setImmediate(() => this.#exited?.(exit));
  }
}

/** What has been done to the master. */
export class Tally {
  frames = 0;
  lives = 0;
  /** How often each mutation was used. */
  readonly mutations = Array<number>(MUTATION_COUNT).fill(0);

  count(used: number): void {
    this.frames++;
    if (used >= 0) this.mutations[used]!++;
  }
}

/** A host whose processes are hostile, each in another way; the same with the same seed. */
export class HostileHost implements Host {
  readonly runtime = 'hostile';
  readonly tally = new Tally();
  readonly #dice: Dice;
  #last = 0;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
  }

  start(spec: HostSpec): HostProcess {
    return new HostileWorker(++this.#last, spec, new Dice(this.#dice.roll(2 ** 31)), this.tally);
  }

  async close(): Promise<void> {}
}
