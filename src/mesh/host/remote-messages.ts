import { z } from 'zod';
import { ProtocolError } from '../../errors.js';
import { MOST_NAME, type BootMessage, type RemoteMeta } from '../../wire/link/protocol.js';

const name = z.string().max(MOST_NAME);
const names = z.array(name).max(10_000);

const boot = z.object({
  version: z.number(),
  key: name.optional(),
  options: z.unknown().optional(),
  workers: z
    .array(
      z.object({
        name,
        tasks: names,
        streams: names.optional(),
        events: z
          .array(z.tuple([name, names]))
          .max(10_000)
          .optional(),
        receives: names.optional(),
      }),
    )
    .max(10_000),
  signature: z.record(z.string(), z.string().max(64)).optional(),
});

const meta = z.object({
  caller: z.unknown().optional(),
  remaining: z.number().optional(),
  timeout: z.number().nonnegative().optional(),
  affinity: z.string().optional(),
  attempt: z.number().int().min(1).optional(),
  carrier: z.record(z.string(), z.string()).optional(),
});

/** The part of a caller's BOOT that another machine heeds. */
export type RemoteBoot = Pick<BootMessage, 'version' | 'key' | 'options' | 'workers' | 'signature'>;

function read<T>(schema: z.ZodType, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [{ path, message } = { path: [], message: '' }] = parsed.error.issues;
    throw new ProtocolError(`${what} that makes no sense: ${[path.join('.'), message].join(' ').trim()}`);
  }
  return parsed.data as T;
}

/** @throws ProtocolError for what is no BOOT: a caller on another machine is not trusted. */
export function readBoot(value: unknown): RemoteBoot {
  return read(boot, value, 'a BOOT');
}

/** @throws ProtocolError for what is no META. */
export function readMeta(value: unknown): RemoteMeta {
  return read(meta, value, 'a META');
}
