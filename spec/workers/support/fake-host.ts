import type { Duplex } from 'node:stream';
import type { Host, HostExit, HostProcess, HostSpec } from '../../../src/hosts/host.js';
import { duplexPair } from '../../../src/wire/link/duplex-pair.js';
import { openLink } from '../../../src/wire/link/link.js';
import { Kind, PROTOCOL_VERSION, type BootMessage, type HelloMessage } from '../../../src/wire/link/protocol.js';
import type { Body, Link, LinkReceiver } from '../../../src/wire/link/types.js';
import { tasks } from './blueprint.js';

/** One message that the scripted worker was sent. */
export interface Heard {
  readonly kind: number;
  readonly id: number;
  readonly arg: number;
  readonly value: unknown;
}

const NAMES = new Map(Object.entries(Kind).map(([name, kind]) => [kind as number, name]));

/** What the scripted worker does by itself. */
export interface Script {
  /** What it does when it is told to boot. Default: says hello and ready. */
  boot?(worker: FakeWorker, boot: BootMessage): void;
  /** What it does with a call or mail. Default: nothing, the spec answers. */
  call?(worker: FakeWorker, call: Heard): void;
  context?: boolean;
  stop?(worker: FakeWorker): void;
}

/** A worker process that is none: it speaks the protocol over a pair of streams, as the spec says. */
export class FakeWorker implements HostProcess, LinkReceiver {
  readonly stream: Duplex;
  readonly spec: HostSpec;
  readonly link: Link;
  /** Its own end: paused, it reads nothing that it is sent. */
  readonly end: Duplex;
  readonly heard: Heard[] = [];
  readonly signals: NodeJS.Signals[] = [];
  readonly #waiting: { readonly fits: (heard: Heard) => boolean; readonly resolve: (heard: Heard) => void }[] = [];
  readonly #script: Script;
  #exited: ((exit: HostExit) => void) | undefined;
  #exit: HostExit | undefined;
  /** What `mark()` answers. */
  begun = 0;
  /** Bytes that `rss()` answers. */
  resident: number | undefined;
  /** State T. */
  halted = false;
  keptAlive = true;
  /** A kill is obeyed only when the spec says so. */
  immortal = false;
  stderr = '';

  constructor(
    readonly pid: number,
    spec: HostSpec,
    script: Script,
    readonly machine?: string,
  ) {
    this.spec = spec;
    this.#script = script;
    const [ours, theirs] = duplexPair();
    this.stream = ours;
    this.end = theirs;
    this.link = openLink(theirs, this, { maxMessageSize: 0 });
  }

  // ── as its host shows it

  mark(): number {
    return this.begun;
  }

  kill(signal: NodeJS.Signals): void {
    this.signals.push(signal);
    if (!this.immortal && this.#exit === undefined) this.die({ signal });
  }

  onExit(exited: (exit: HostExit) => void): void {
    this.#exited = exited;
    if (this.#exit) exited(this.#exit);
  }

  rss(): number | undefined {
    return this.resident;
  }

  isStopped(): boolean {
    return this.halted;
  }

  keepAlive(yes: boolean): void {
    this.keptAlive = yes;
  }

  get dead(): boolean {
    return this.#exit !== undefined;
  }

  // ── as the spec drives it

  /** It dies: what it has written is still there to be read. */
  die(how: Partial<HostExit> = {}): void {
    if (this.#exit) return;
    this.link.end();
    this.exit(how);
  }

  /** Its process ends; its link does not, by itself. */
  exit(how: Partial<HostExit> = {}): void {
    this.#exit = { exitCode: how.signal ? null : 0, signal: null, stderr: this.stderr, memory: false, ...how };
    const exit = this.#exit;
    setImmediate(() => this.#exited?.(exit));
  }

  hello(more: Partial<HelloMessage> = {}): void {
    const names = tasks.map(({ name }) => name);
    const context = names.map(() => this.#script.context ?? false);
    this.link.sendValue(Kind.HELLO, 0, 0, {
      version: PROTOCOL_VERSION,
      name: this.spec.name,
      pid: this.pid,
      tasks: names,
      context,
      ...more,
    });
  }

  ready(): void {
    this.hello();
    this.link.send(Kind.READY, 0, 0);
  }

  reply(call: Heard, value: unknown = call.value): void {
    if (value === undefined) this.link.send(Kind.REPLY, call.id, 0);
    else this.link.sendValue(Kind.REPLY, call.id, 0, value);
  }

  fail(call: Heard, error: Error): void {
    this.link.sendValue(Kind.FAILURE, call.id, 0, error);
  }

  /** Resolves with the next message of this kind; one that was heard and not asked for counts. */
  async next(kind: number, what?: unknown): Promise<Heard> {
    const fits = (heard: Heard): boolean => heard.kind === kind && (what === undefined || heard.value === what);
    const at = this.heard.findIndex(fits);
    if (at >= 0) return this.heard.splice(at, 1)[0]!;
    return new Promise(resolve => this.#waiting.push({ fits, resolve }));
  }

  call(value?: unknown): Promise<Heard> {
    return this.next(Kind.CALL, value);
  }

  /** The values of the calls that lie here, unanswered and unasked for. */
  get calls(): unknown[] {
    return this.heard.filter(({ kind }) => kind === Kind.CALL).map(({ value }) => value);
  }

  get kinds(): string[] {
    return this.heard.map(({ kind }) => NAMES.get(kind) ?? String(kind));
  }

  onMessage(kind: number, id: number, arg: number, body: Body): void {
    if (this.#exit) return; // The dead do not read.
    const heard: Heard = { kind, id, arg, value: body.value() };
    if (kind === Kind.BOOT) return this.#script.boot ? this.#script.boot(this, heard.value as BootMessage) : this.ready();
    if (kind === Kind.STOP) return this.#script.stop ? this.#script.stop(this) : this.die();
    if ((kind === Kind.CALL || kind === Kind.MAIL) && this.#script.call) return this.#script.call(this, heard);
    const at = this.#waiting.findIndex(({ fits }) => fits(heard));
    if (at >= 0) this.#waiting.splice(at, 1)[0]!.resolve(heard);
    else this.heard.push(heard);
  }

  onClosed(): void {
    // The master closed the link: a real worker ends then.
    if (!this.#exit && !this.immortal) this.exit();
  }
}

/** A host whose processes are scripted. */
export class FakeHost implements Host {
  readonly runtime = 'fake';
  readonly workers: FakeWorker[] = [];
  readonly #waiting: { readonly number: number; readonly resolve: (worker: FakeWorker) => void }[] = [];
  script: Script;
  /** The pid of the process started as number `number`. */
  pid = (number: number): number => number;
  /** Where its processes run; undefined: on this machine. */
  machine: string | undefined;

  constructor(script: Script = {}) {
    this.script = script;
  }

  start(spec: HostSpec): HostProcess {
    const worker = new FakeWorker(this.pid(this.workers.length + 1), spec, this.script, this.machine);
    this.workers.push(worker);
    for (const { number, resolve } of this.#waiting) if (number === this.workers.length) resolve(worker);
    return worker;
  }

  /** The process started as number `number`, from 1; waits for it. */
  worker(number: number): Promise<FakeWorker> {
    const worker = this.workers[number - 1];
    return worker ? Promise.resolve(worker) : new Promise(resolve => this.#waiting.push({ number, resolve }));
  }

  async close(): Promise<void> {}
}
