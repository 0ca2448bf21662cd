/** Contract between a process host and the process that it starts. Apart from the rest, so that the child loads nothing else of a host. */

/** The descriptors where a worker process finds its link and its mark. */
export const LINK_FD = 3;
export const MARK_FD = 4;

/** Words to a child that has not read BOOT yet; taken out of its environment before the worker's module is imported. */
export const CWD_VARIABLE = 'PACKET_TS_CWD';
export const WATCHDOG_VARIABLE = 'PACKET_TS_WATCHDOG';
/** The scopes of Node's permission model that a worker with `permissions` may have, separated by commas. */
export const RIGHTS_VARIABLE = 'PACKET_TS_RIGHTS';
/** The pid of the master that started this process as a worker. Taken out of the environment by the process it was meant for. */
export const WORKER_VARIABLE = 'PACKET_TS_WORKER';
