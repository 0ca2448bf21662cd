import assert from 'node:assert';
import { FramingError } from '../../errors.js';
import type { Framing } from '../../framing/framing.js';
import { MOST_PER_BYTE, pieces } from './drive.js';

/** The large case has this many times the bytes of the small one. */
const FACTOR = 16;
/**
 * Linear decoders take some 16 times as long for the large case, quadratic ones 256 times. The bound lies between, far from both.
 * What counts is the processor's time, and one good round of several is enough: a busy machine does not fail a good decoder.
 */
const MOST = 64;
/** Milliseconds that the large case may take besides: the processor is counted in steps, and a busy one takes longer for the same work. */
const ALLOWANCE = 40;
const ROUNDS = 6;

/**
 * Fails when the time for `bytes`, received in chunks of `size`, grows faster than their number.
 * It gives up as soon as the bound is exceeded, so that a quadratic decoder fails in about a second.
 */
export function assertLinear(framing: Framing<unknown, never>, bytes: Buffer, size: number, what: string): void {
  const start = bytes.subarray(0, Math.floor(bytes.length / FACTOR));
  let small = Infinity;
  let large = Infinity;
  // The first rounds only warm the engine up.
  for (let round = 0; round < 3; round++) small = Math.min(small, milliseconds(framing, start, size, Infinity));
  for (let round = 0; round < ROUNDS; round++) {
    const bound = small * MOST + ALLOWANCE;
    large = milliseconds(framing, bytes, size, bound);
    if (large <= bound) return;
    small = Math.min(small, milliseconds(framing, start, size, Infinity));
  }
  assert.fail(
    `the cost of ${what} is not linear: ${start.length} bytes took ${small.toFixed(1)} ms, ${bytes.length} bytes more than ${large.toFixed(0)} ms`,
  );
}

function milliseconds(framing: Framing<unknown, never>, bytes: Buffer, size: number, giveUp: number): number {
  const chunks = [...pieces(bytes, size)];
  const decoder = framing.decoder(Infinity);
  const began = process.cpuUsage();
  const most = MOST_PER_BYTE * (bytes.length + 1);
  let steps = 0;
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      do {
        if (++steps % 64 === 0 && spent(began) > giveUp) return spent(began);
        assert.ok(steps <= most, 'next() gives out messages without end');
      } while (decoder.next() !== undefined);
    }
  } catch (error) {
    // How far it came is what it cost.
    if (!(error instanceof FramingError)) throw error;
  }
  return spent(began);
}

function spent(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}
