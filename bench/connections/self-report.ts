/** What a server tells of itself. */
export interface SelfReport {
  /** Resident bytes; after a collection where one was asked for. */
  readonly rss: number;
  /** Microseconds of processor time since the process began. */
  readonly cpu: number;
  readonly open: number;
}

/** Says where it listens, then how it is whenever it is asked. Ends with its parent. */
export function reportSelf(port: number, open: () => number): void {
  process.on('message', collect => {
    if (collect === true) globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    process.send!({ rss: process.memoryUsage.rss(), cpu: user + system, open: open() } satisfies SelfReport);
  });
  process.on('disconnect', () => process.exit());
  process.send!(port);
}
