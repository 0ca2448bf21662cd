import type { ExitReason } from '../../../decorators/worker/worker-types.js';
import type { CrashReason } from '../../../errors.js';
import type { HostExit } from '../../../hosts/host.js';

/** How one process ends, and by whose doing. */
export class ExitReport {
  /** Why we killed it, or told it to stop. */
  killed: CrashReason | undefined;
  /** The error that kept it from becoming ready. */
  bootError: Error | undefined;
  /** The exception that it ended itself for, and that no task could be blamed for. */
  uncaught: Error | undefined;
  exit: HostExit | undefined;
  /** {@link bootError} is a mistake that will be there the next time, too. */
  isPermanent = false;

  /** For the calls that it had. */
  get reason(): CrashReason {
    return this.killed ?? (this.exit?.lost !== undefined ? 'lost' : this.exit?.memory ? 'memory' : this.exit?.signal ? 'signal' : 'exit');
  }

  /** We ended it for what a call did, or because it was to go; not for being unable to start, or for what it wrote. */
  isOurs(wasReady: boolean): boolean {
    return this.killed === 'stop' || (this.killed !== undefined && this.killed !== 'protocol' && wasReady);
  }

  /** The process was never ready, and another try would end in the same way. */
  get isHopeless(): boolean {
    return this.isPermanent || (this.uncaught === undefined && this.killed === undefined && this.exit?.permanent === true);
  }

  get isSuspicious(): boolean {
    return this.killed !== undefined && this.killed !== 'stop';
  }

  get stderr(): string {
    return this.exit?.stderr ?? '';
  }

  /** The reason for `workers.on('exit')`: where a call overran, its neighbours see 'neighbour' and the process itself 'timeout'. */
  report(): ExitReason {
    const { exit } = this;
    const error = exit?.error ?? this.bootError ?? this.uncaught;
    const reason = this.reason === 'neighbour' ? 'timeout' : this.reason;
    return { exitCode: exit?.exitCode ?? null, signal: exit?.signal ?? null, reason, ...(error && { error }) };
  }
}
