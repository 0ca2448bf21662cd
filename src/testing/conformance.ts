import { UsageError } from '../errors.js';
import { checkNeeded, flag, isFraming, list, show } from '../option-rules.js';
import type { Framing } from '../framing/framing.js';
import { boundChecks } from './conformance/bounds.js';
import { decodingChecks, encodingChecks, type Check, type Material } from './conformance/checks.js';

/** Bytes as they come from the network, and the messages in them. */
export interface ConformanceSample<In> {
  /** A string stands for its UTF-8. */
  readonly bytes: Uint8Array | string;
  /** All of them, with what the decoder's `end()` gives out. */
  readonly messages: readonly In[];
}

/** Bytes that a framing is tried with. */
export interface ConformanceCases<In> {
  /** At least one. Give several messages in one sample, an empty message, and one of a megabyte where only the framing knows how to write one. */
  readonly samples: readonly ConformanceSample<In>[];
  /** Bytes that must be refused with a FramingError. Faults that the decoder yields as messages belong into samples. */
  readonly garbage?: readonly (Uint8Array | string)[];
  /** For a framing of bytes without boundaries, as `raw()`: contents are compared, not where they were cut. */
  readonly joined?: boolean;
}

/**
 * The promises of every framing, as single checks; {@link conformance} hands them to the test runner.
 * @example for (const check of conformanceChecks(framing, cases)) test(check.name, () => check.run());
 */
export function conformanceChecks<In, Out>(framing: Framing<In, Out>, cases: ConformanceCases<In>): readonly Check[] {
  if (!isFraming(framing)) throw new UsageError(`conformance() takes a framing, and was given ${show(framing)}`);
  checkNeeded('conformance()', cases, { samples: list, garbage: list, joined: flag }, 'samples');
  if (cases.samples.length === 0) throw new TypeError('conformance() needs at least one sample: without one it would prove nothing');
  const material: Material<In> = {
    samples: cases.samples.map(({ bytes, messages }) => ({ bytes: Buffer.from(bytes as Uint8Array), messages })),
    garbage: (cases.garbage ?? []).map(bytes => Buffer.from(bytes as Uint8Array)),
    joined: cases.joined ?? false,
  };
  return [
    ...decodingChecks(framing, material),
    ...boundChecks(framing, material),
    // In and Out are one, says the framing.
    ...(framing.symmetric ? encodingChecks(framing as Framing<unknown> as Framing<In>, material) : []),
  ];
}

/**
 * The suite that every built-in framing passes, for yours: decoded whole, byte by byte and split at every offset; ended anywhere;
 * `rest()` complete; random bytes and garbage raise FramingErrors only; limits hold before memory is taken; cost is linear;
 * and where it is `symmetric`, what it encodes it reads back, with its `whole` variant too.
 *
 * Under a runner with a global `it` (mocha, jest, vitest with globals) call it inside `describe`: each check becomes a test.
 * Elsewhere (node:test, a script) it runs at once and throws the first AssertionError.
 * @example
 * describe('lines()', () => conformance(lines(), { samples: [{ bytes: 'a\nb\r\n', messages: ['a', 'b'] }] }));
 */
export function conformance<In, Out>(framing: Framing<In, Out>, cases: ConformanceCases<In>): void {
  const checks = conformanceChecks(framing, cases);
  const { it } = globalThis as { it?: (name: string, run: () => void) => unknown };
  for (const { name, run } of checks) {
    if (typeof it === 'function') it(name, run);
    else run();
  }
}

export type { Check };
