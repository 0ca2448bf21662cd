import assert from 'node:assert';
import { FramingError } from '../../errors.js';
import type { Framing } from '../../framing/framing.js';
import type { Check, Material } from './checks.js';
import { assertLinear } from './cost.js';
import { joinedBytes, crumbs, decode, drain, offsets, pieces, pushed, same, SMALL } from './drive.js';

const LIMIT = 1024;
const PIECE = 512;
/** A decoder may be surprised by one chunk, and by the delimiter. */
const HELD = 2 * LIMIT + PIECE;
/** Bytes that go on for ever: zeros, lengths, digits, text, blanks, the largest lengths. */
const ENDLESS = [0x00, 0x0f, 0x39, 0x61, 0x20, 0x0a, 0xff];
/** Those of them that may be a length. */
const LENGTHS = [0x0f, 0x39];
/** More array buffer memory than this behind a few bytes was allocated on a peer's word. */
const ON_A_WORD = 64 * 1024 ** 2;
const LARGE = 1024 ** 2;
/** Crumbs, and what a network brings. */
const CHUNKS = [64, 1448];

/** Memory and time: a peer decides what it sends, and must not decide what that costs. */
export function boundChecks<In>(framing: Framing<In, never>, material: Material<In>): Check[] {
  const { samples, joined } = material;
  return [
    {
      name: 'holds no more than about its limit of a message that does not end',
      run: () => endless(samples).forEach(stream => assertBounded(framing, stream)),
    },
    {
      name: 'allocates nothing on the word of a declared length',
      run: () => endless(samples, LENGTHS).forEach(stream => assertNotAllocated(framing, stream)),
    },
    {
      name: 'comes to the same verdict at every limit, however the bytes are cut',
      run() {
        for (const { bytes, messages } of samples) {
          for (const limit of bytes.length > SMALL ? [] : offsets(bytes.length, 60)) {
            const whole = decode(framing, limit, [Buffer.from(bytes)]);
            const cut = decode(framing, limit, crumbs(bytes));
            const alike = (joined || same(cut.messages, whole.messages)) && (cut.error === undefined) === (whole.error === undefined);
            assert.ok(
              alike,
              `with a limit of ${limit} bytes, ${bytes.length} bytes were ${whole.error ? 'refused' : 'accepted'} in one chunk, but not so byte by byte`,
            );
          }
          if (joined || messages.length === 0) continue;
          // Some message has at least that many bytes. Headers may weigh something, but not three times the message.
          const size = Math.floor(bytes.length / messages.length);
          if (size < 64) continue;
          const { error } = decode(framing, Math.floor(size / 4), [Buffer.from(bytes)]);
          assert.ok(error, `a message of about ${size} bytes was accepted with a limit of ${Math.floor(size / 4)}`);
        }
      },
    },
    { name: 'costs time in proportion to the bytes, however they are cut', run: () => assertLinearEverywhere(framing, material) },
  ];
}

interface Endless {
  readonly what: string;
  bytes(length: number): Buffer;
}

/** The beginnings of the samples, each going on for ever in several ways. */
function endless(samples: Material<unknown>['samples'], fillings = ENDLESS): Endless[] {
  return samples.slice(0, 8).flatMap(({ bytes }) =>
    offsets(Math.min(bytes.length, 200), 24).flatMap(at =>
      fillings.map(byte => ({
        what: `the first ${at} bytes of a sample, then 0x${byte.toString(16)} without end`,
        bytes: length => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(Math.max(length - at, 0), byte)]),
      })),
    ),
  );
}

function assertBounded(framing: Framing<unknown, never>, { bytes, what }: Endless): void {
  for (const size of [PIECE, 8 * LIMIT]) {
    const decoder = framing.decoder(LIMIT);
    try {
      let received = 0;
      for (const piece of pieces(bytes(8 * LIMIT), size)) {
        received += piece.length;
        pushed(decoder, piece);
        drain(decoder, received, () => {});
      }
    } catch (error) {
      if (error instanceof FramingError) continue;
      throw error;
    }
    const held = decoder.rest().length;
    assert.ok(held <= HELD, `${what}: ${held} bytes are held with a limit of ${LIMIT}`);
  }
}

function assertNotAllocated(framing: Framing<unknown, never>, { bytes, what }: Endless): void {
  const before = process.memoryUsage().arrayBuffers;
  const decoder = framing.decoder(Infinity);
  try {
    pushed(decoder, bytes(LIMIT));
    drain(decoder, LIMIT, () => {});
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
  }
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < ON_A_WORD, `${what}: ${grown} bytes were allocated for ${LIMIT} received`);
  decoder.rest();
}

function assertLinearEverywhere<In>(framing: Framing<In, never>, { samples }: Material<In>): void {
  for (const { bytes } of samples) {
    if (bytes.length >= 64 * 1024) for (const size of CHUNKS) assertLinear(framing, bytes, size, `a sample of ${bytes.length} bytes`);
    else if (bytes.length > 0) assertLinear(framing, repeated(bytes, LARGE / 8), LARGE, 'many messages in one chunk');
  }
  // One message that grows, as far as one can be made without knowing the framing.
  const growing = endless(samples).filter(stream => grows(framing, stream.bytes(4096)));
  const chosen = new Set([0, 0.25, 0.5, 0.75, 1].map(part => growing[Math.floor(part * (growing.length - 1))]));
  for (const stream of chosen) if (stream) assertLinear(framing, stream.bytes(LARGE), 64, stream.what);
  const long = longMessage(framing, samples);
  if (long) for (const size of CHUNKS) assertLinear(framing, long, size, 'a long message');
}

/** Whether these bytes become one message that is not whole yet. */
function grows(framing: Framing<unknown, never>, bytes: Buffer): boolean {
  const decoder = framing.decoder(Infinity);
  try {
    pushed(decoder, bytes);
    drain(decoder, bytes.length, () => {});
  } catch (error) {
    if (error instanceof FramingError) return false;
    throw error;
  }
  return decoder.rest().length > bytes.length / 2;
}

/** A long message of the framing's own encoding, where messages are text or bytes and it reads what it writes. */
function longMessage<In>(framing: Framing<In, never>, samples: Material<In>['samples']): Buffer | undefined {
  if (!framing.symmetric) return undefined;
  const own = framing as Framing<unknown>;
  for (const message of samples.flatMap(sample => sample.messages)) {
    if ((typeof message !== 'string' && !(message instanceof Uint8Array)) || message.length === 0) continue;
    try {
      return joinedBytes(
        own.encode(typeof message === 'string' ? message.repeat(Math.ceil(LARGE / message.length)) : repeated(message, LARGE)),
      );
    } catch {
      // A framing of fixed or short messages: there are no long ones.
      return undefined;
    }
  }
  return undefined;
}

function repeated(bytes: Uint8Array, length: number): Buffer {
  return Buffer.alloc(length, bytes);
}
