import { Buffer } from 'node:buffer';
import { z } from 'zod';

const presence = z.object({
  /** Id of the host's process: a new one each time it starts. */
  id: z.string().regex(/^[\w-]{1,64}$/),
  name: z.string().min(1).max(256),
  zone: z.string().max(256).optional(),
  version: z.number(),
  /** Calls that its processes can run at once. */
  slots: z.number().int().min(1).max(1_000_000),
  /** A digest of each task's schemas. */
  signature: z.record(z.string(), z.string().max(64)),
  /** The host takes no new callers. */
  isLeaving: z.boolean(),
});

/** Says of one host that it serves one worker. */
export type Presence = z.infer<typeof presence>;

export function encodePresence(value: Presence): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** The decoded presence; undefined for anything else: every publisher of the subject may publish anything. */
export function decodePresence(data: Uint8Array): Presence | undefined {
  try {
    const parsed = presence.safeParse(JSON.parse(Buffer.from(data).toString()));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
