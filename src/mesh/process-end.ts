import { z } from 'zod';
import type { ExitReason, WorkerProcess } from '../decorators/worker/worker-types.js';

const REASONS = [
  'exit',
  'signal',
  'memory',
  'protocol',
  'heartbeat',
  'stop',
  'lost',
  'timeout',
] as const satisfies readonly ExitReason['reason'][];

const processEnd = z.object({
  id: z.string().max(600),
  pid: z.number(),
  exitCode: z.number().nullable(),
  signal: z.string().max(20).nullable(),
  reason: z.enum(REASONS),
  /** Text of the error that it ended with. */
  error: z.string().max(4_000).optional(),
});

/** Message of a host about a process of it that has ended. */
export function processEndMessage(host: string, { id, pid }: WorkerProcess, { exitCode, signal, reason, error }: ExitReason): unknown {
  return { id: `${host}:${id}`, pid, exitCode, signal, reason, error: error?.message.slice(0, 4_000) };
}

/** One process of a host, and how it ended. */
export interface ProcessEnd {
  readonly id: string;
  readonly pid: number;
  readonly why: ExitReason;
}

/** Undefined for what is no such message. */
export function processEndOf(value: unknown): ProcessEnd | undefined {
  const parsed = processEnd.safeParse(value);
  if (!parsed.success) return undefined;
  const { id, pid, exitCode, signal, reason, error } = parsed.data;
  const why = { exitCode, signal, reason, ...(error !== undefined && { error: new Error(error) }) } as ExitReason;
  return { id, pid, why };
}
