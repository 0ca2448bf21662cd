import { z } from 'zod';
import { MOST_DURATION } from '../profiling/profile-request.js';
import { LEVELS } from './state/log-tail.js';

const text = z.string().max(1_000);
const page = z.number().int().min(0).max(1_000_000);
const size = z.number().int().min(0).max(10_000);

/** A visitor looks at something else. What is left out stays as it was. */
const View = z.strictObject({
  pool: text.optional(),
  poolPage: page.optional(),
  processPage: page.optional(),
  connectionPage: page.optional(),
  connectionFilter: z.string().max(200).optional(),
  callPage: page.optional(),
  logLevel: z.enum(Object.keys(LEVELS) as [keyof typeof LEVELS]).optional(),
});

/** Something that a visitor wants done. */
const Action = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('disconnect'), connection: text }),
  z.strictObject({ do: z.literal('kill'), process: text }),
  z.strictObject({ do: z.literal('restart'), process: text }),
  z.strictObject({ do: z.literal('restartPool'), pool: text }),
  z.strictObject({ do: z.literal('pause'), pool: text }),
  z.strictObject({ do: z.literal('resume'), pool: text }),
  z.strictObject({ do: z.literal('scale'), pool: text, min: size, max: size }),
  // Without a process the master's. `seconds`: how long a CPU profile lasts.
  z.strictObject({
    do: z.literal('profile'),
    process: text.optional(),
    kind: z.enum(['cpu', 'heap']),
    seconds: z
      .number()
      .int()
      .min(1)
      .max(MOST_DURATION / 1_000),
  }),
]);

export type Action = z.infer<typeof Action>;
export type ProfileAction = Extract<Action, { readonly do: 'profile' }>;

/** Messages of a page: the number of an action is the visitor's, and comes back with its outcome. */
export const Asked = z.union([z.strictObject({ view: View }), z.strictObject({ id: z.number().int().min(0), action: Action })]);

export type Asked = z.infer<typeof Asked>;
