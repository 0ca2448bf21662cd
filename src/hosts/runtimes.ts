/** Values of the option `runtime`, each the name of a host that `registerHost()` adds. */
export const RUNTIMES = ['process', 'thread', 'inline'] as const;

export type Runtime = (typeof RUNTIMES)[number];
