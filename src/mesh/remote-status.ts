import { z } from 'zod';

const remoteRow = z.object({
  id: z.string().max(256).optional(),
  pid: z.number().optional(),
  state: z.enum(['starting', 'ready', 'stopping', 'failed', 'stopped']),
  running: z.number(),
  queued: z.number(),
  done: z.number(),
  failed: z.number(),
  restarts: z.number(),
  rss: z.number().optional(),
  /** Milliseconds since the epoch of the host's clock. */
  startedAt: z.number(),
  status: z.unknown(),
});

const remoteRows = z.array(remoteRow).max(100);

/** One process of a host, as the host says. */
export type RemoteRow = z.infer<typeof remoteRow>;

/** The processes that a host told of; none for what is no such list. */
export function remoteRowsOf(value: unknown): readonly RemoteRow[] {
  const parsed = remoteRows.safeParse(value);
  return parsed.success ? parsed.data : [];
}
