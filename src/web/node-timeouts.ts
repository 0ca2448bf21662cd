import { monotonicNow, setImmediate } from '../system-timers.js';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { guardEach } from '../guard.js';
import { connectionOn } from './http-connection.js';

/** Lateness of Node's check, in milliseconds, from which on bytes may wait unread. */
const LATE = 10;

/** The limits that Node compares with in its check of connections. */
const CHECKED = ['headersTimeout', 'requestTimeout'] as const;

/**
 * Lets Node's check of slow heads, which runs every `interval` ms in the timers phase, pass once without effect when it comes late: after
 * a stall of the event loop the rest of a head may lie there unread. It never passes twice in a row, so that a busy process keeps its limits.
 */
function checkHeadsAfterPoll(server: Server, interval: number): void {
  let last = monotonicNow();
  let passes = false;
  const isPassing = (): boolean => {
    const now = monotonicNow();
    // Several reads belong to one check.
    if (now - last < 1) return passes;
    passes = !passes && now - last > interval + LATE;
    last = now;
    return passes;
  };
  for (const name of CHECKED) {
    let limit = server[name];
    Object.defineProperty(server, name, {
      // 0 is no limit.
      get: () => (isPassing() ? 0 : limit),
      set: (next: number) => {
        limit = next;
      },
      enumerable: true,
      configurable: true,
    });
  }
}

/** The answers to what cannot be read as a request, by the code of Node's error; all others: 400. */
const STATUS_OF: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/** Answers what cannot be read as a request, as Node does without a listener; but the time of a head stands still while it is not read. */
function excuseUnread(server: Server): void {
  server.on(
    'clientError',
    guardEach(
      (_error: NodeJS.ErrnoException, socket: Socket) => socket,
      ({ code = '' }, socket) => {
        const connection = connectionOn(socket);
        const status = STATUS_OF[code] ?? 400;
        if (!connection) socket.destroy();
        else if (status !== 408 || !connection.excusesLateHead()) connection.refuse(status);
      },
    ),
  );
}

/** Lets a connection that was idle for `keepAliveTimeout` be closed only if the next poll brings no request. */
function closeIdleAfterPoll(server: Server): void {
  // With a listener Node leaves it to us to close the socket.
  server.on(
    'timeout',
    guardEach(
      (socket: Socket) => socket,
      socket => {
        const response = connectionOn(socket)?.current;
        // A timeout that the application has set for itself, and listens to.
        if (response && (response.listenerCount('timeout') > 0 || response.req.listenerCount('timeout') > 0)) return;
        const { bytesRead } = socket;
        setImmediate(() => {
          if (socket.bytesRead === bytesRead) socket.destroy();
        });
      },
    ),
  );
}

/** Node's own time limits judge in the timers phase, before sockets are polled: makes them look once more after a poll. */
export function judgeAfterPoll(server: Server, interval: number): void {
  checkHeadsAfterPoll(server, interval);
  excuseUnread(server);
  closeIdleAfterPoll(server);
}
