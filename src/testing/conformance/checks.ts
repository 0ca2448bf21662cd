import assert from 'node:assert';
import type { Framing } from '../../framing/framing.js';
import {
  assertSame,
  joinedBytes,
  crumbs,
  decode,
  drain,
  offsets,
  pieces,
  pushed,
  randomNumbers,
  same,
  SMALL,
  split,
  type Outcome,
} from './drive.js';

/** Samples for testing a framing, bytes and messages ready to be compared. */
export interface Material<In> {
  readonly samples: readonly { readonly bytes: Buffer; readonly messages: readonly In[] }[];
  readonly garbage: readonly Buffer[];
  /** No boundaries between messages: their contents are compared in one piece. */
  readonly joined: boolean;
}

/** One promise, and what holds it to it: `run` throws when it is broken. */
export interface Check {
  readonly name: string;
  /** Throws where the promise is broken. */
  run(): void;
}

/** Offsets of a sample that are tried. */
const MOST_OFFSETS = 600;
const ROUNDS = 300;

/** Checks of a framing's contract that need only its messages. */
export function decodingChecks<In>(framing: Framing<In, never>, { samples, garbage, joined }: Material<In>): Check[] {
  const fitting = (messages: readonly unknown[]): unknown => (joined ? Buffer.concat(messages as readonly Buffer[]) : messages);
  const assertMessages = (outcome: Outcome<In>, messages: readonly In[], how: string): void => {
    if (outcome.error) throw outcome.error;
    assertSame(fitting(outcome.messages), fitting(messages), how);
  };
  const assertAlike = (whole: Outcome<In>, cut: Outcome<In>, how: string): void => {
    assertSame(fitting(cut.messages), fitting(whole.messages), `${how}: other messages than in one chunk`);
    assert.strictEqual(
      cut.error === undefined,
      whole.error === undefined,
      `${how}: ${outcomeText(cut)}, but in one chunk ${outcomeText(whole)}`,
    );
  };

  const small = samples.filter(({ bytes }) => bytes.length <= SMALL);
  const check = (name: string, run: () => void): Check => ({ name, run });
  return [
    check('decodes each sample in one chunk', () => {
      for (const { bytes, messages } of samples) assertMessages(decode(framing, Infinity, [Buffer.from(bytes)]), messages, 'in one chunk');
    }),
    check('decodes each sample byte by byte', () => {
      for (const { bytes, messages } of samples) assertMessages(decode(framing, Infinity, crumbs(bytes)), messages, 'byte by byte');
    }),
    check('decodes each sample split at every offset', () => {
      for (const { bytes, messages } of samples) {
        const most = bytes.length > SMALL ? 30 : MOST_OFFSETS;
        for (const at of offsets(bytes.length, most))
          assertMessages(decode(framing, Infinity, split(bytes, at)), messages, `split at ${at}`);
      }
    }),
    check('has nothing new until new bytes come', () => {
      for (const { bytes } of samples) {
        const decoder = framing.decoder(Infinity);
        for (const piece of crumbs(bytes)) {
          pushed(decoder, piece);
          drain(decoder, bytes.length, () => {});
          assert.strictEqual(decoder.next(), undefined, 'next() answered undefined, then a message, without new bytes between');
        }
      }
    }),
    check('keeps the state of one connection apart from that of another', () => {
      for (const { bytes, messages } of samples) {
        const decoders = [framing.decoder(Infinity), framing.decoder(Infinity)] as const;
        const received: [In[], In[]] = [[], []];
        for (const piece of crumbs(bytes)) {
          for (const i of [0, 1] as const) {
            pushed(decoders[i], Buffer.from(piece));
            drain(decoders[i], bytes.length, message => received[i].push(message));
          }
        }
        for (const i of [0, 1] as const) {
          const last = decoders[i].end?.();
          if (last !== undefined) received[i].push(last);
          assertSame(fitting(received[i]), fitting(messages), 'two connections in turns');
        }
      }
    }),
    check('gives messages away: what is written to one changes no other', () => {
      for (const { bytes, messages } of samples) {
        if (joined) continue;
        const decoder = framing.decoder(Infinity);
        let nth = 0;
        const take = (message: In): void => {
          assertSame(message, messages[nth++], 'after earlier messages had been overwritten');
          if (message instanceof Uint8Array) message.fill(0x5a);
        };
        pushed(decoder, Buffer.from(bytes));
        drain(decoder, bytes.length, take);
        const last = decoder.end?.();
        if (last !== undefined) take(last);
      }
    }),
    check('gives out or refuses what is there when the stream ends at any offset', () => {
      for (const { bytes } of small) {
        for (const at of offsets(bytes.length, MOST_OFFSETS)) {
          const start = bytes.subarray(0, at);
          assertAlike(
            decode(framing, Infinity, [Buffer.from(start)]),
            decode(framing, Infinity, crumbs(start)),
            `ended at ${at}, byte by byte`,
          );
        }
      }
    }),
    check('knows at every offset what it has taken in and not given out', () => {
      for (const { bytes, messages } of small)
        for (const at of offsets(bytes.length, MOST_OFFSETS)) assertRest(framing, bytes, messages, at, fitting);
    }),
    check('raises nothing but FramingError for random bytes, however they are cut', () => {
      const random = randomNumbers(1);
      for (let round = 0; round < ROUNDS; round++) {
        const seed = small[round % (2 * small.length)]?.bytes;
        const bytes = seed === undefined || seed.length === 0 ? randomBytes(random) : mutated(seed, random);
        const limit = round % 3 === 0 ? 64 : Infinity;
        const whole = decode(framing, limit, [Buffer.from(bytes)]);
        assertAlike(whole, decode(framing, limit, crumbs(bytes)), `${bytes.toString('hex')} byte by byte`);
        assertAlike(whole, decode(framing, limit, pieces(bytes, 1 + Math.floor(random() * 7))), `${bytes.toString('hex')} in pieces`);
      }
    }),
    ...(garbage.length > 0
      ? [
          check('refuses garbage with a FramingError', () => {
            for (const bytes of garbage) {
              for (const size of [Math.max(bytes.length, 1), 1]) {
                const { error, messages } = decode(framing, Infinity, pieces(bytes, size));
                assert.ok(
                  error !== undefined,
                  `${JSON.stringify(bytes.toString('latin1'))} was not refused: it gave ${messages.length} messages`,
                );
              }
            }
          }),
        ]
      : []),
  ];
}

/** Checks of the contract for framings that read their own writing. */
export function encodingChecks<Message>(framing: Framing<Message>, { samples, joined }: Material<Message>): Check[] {
  const fitting = (messages: readonly Message[]): unknown =>
    joined ? Buffer.concat(messages as readonly unknown[] as readonly Buffer[]) : messages;
  const checks: Check[] = [
    {
      name: 'reads back what it has encoded',
      run() {
        for (const { messages } of samples) {
          const bytes = Buffer.concat(messages.map(message => joinedBytes(framing.encode(message))));
          for (const chunks of [[Buffer.from(bytes)], crumbs(bytes)]) {
            const { messages: back, error } = decode(framing, Infinity, chunks);
            if (error) throw error;
            assertSame(fitting(back), fitting(messages), 'encoded and decoded');
          }
        }
      },
    },
  ];
  const { whole } = framing;
  if (whole !== undefined) {
    checks.push({
      name: 'reads back each message from a datagram of its own',
      run() {
        for (const message of samples.flatMap(sample => sample.messages)) {
          const { messages: back, error } = decode(whole, Infinity, [joinedBytes(whole.encode(message))]);
          if (error) throw error;
          assertSame(fitting(back), fitting([message]), 'encoded into one datagram and decoded');
        }
      },
    });
  }
  return checks;
}

/** rest() after `at` bytes: what a new decoder needs to go on with. */
function assertRest<In>(
  framing: Framing<In, never>,
  bytes: Buffer,
  messages: readonly In[],
  at: number,
  fitting: (messages: readonly In[]) => unknown,
): void {
  const decoder = framing.decoder(Infinity);
  const given: In[] = [];
  // Byte by byte, to see where the last message that was given out ends.
  let boundary = 0;
  for (let i = 0; i < at; i++) {
    pushed(decoder, Buffer.from(bytes.subarray(i, i + 1)));
    const before = given.length;
    drain(decoder, at, message => given.push(message));
    if (given.length > before) boundary = i + 1;
  }
  const { pending } = decoder;
  const rest = decoder.rest();
  if (pending !== undefined)
    assert.strictEqual(pending > 0, rest.length > 0, `after ${at} bytes pending is ${pending}, but rest() has ${rest.length} bytes`);
  if (rest.equals(bytes.subarray(boundary, at))) return;
  // The framing may have passed over bytes that belong to no message. Then a new decoder must not miss them, unless it would be lost here
  // in any case, because this framing keeps state from message to message.
  const goesOn = (start: Buffer): boolean => {
    const { messages: further, error } = decode(framing, Infinity, [Buffer.concat([start, bytes.subarray(at)])]);
    return error === undefined && same(fitting([...given, ...further]), fitting(messages));
  };
  const taken = bytes.subarray(0, at);
  assert.ok(
    taken.subarray(at - rest.length).equals(rest) && (goesOn(rest) || !goesOn(bytes.subarray(boundary, at))),
    `after ${at} bytes rest() has ${JSON.stringify(rest.toString('latin1'))}, from which the messages not yet given out cannot be read`,
  );
}

function outcomeText({ error, messages }: Outcome<unknown>): string {
  return error ? `refused (${error.message})` : `accepted with ${messages.length} messages`;
}

function randomBytes(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256)));
}

/** A sample with some bytes changed, cut, or doubled: nearer to what a decoder takes for its own. */
function mutated(sample: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(sample);
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--)
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  const from = Math.floor((random() * bytes.length) / 4);
  return random() < 0.5 ? bytes.subarray(from) : Buffer.concat([bytes, bytes.subarray(from)]);
}
