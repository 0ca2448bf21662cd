import { Buffer } from 'node:buffer';
import { setImmediate } from '../../system-timers.js';
import { hasAttachments } from '../../wire/codec/attachments.js';
import { encodeValue, reuseEncoded } from '../../wire/codec/codec.js';
import type { Encoded } from '../../wire/link/types.js';
import { isDeeplyFrozen } from './deeply-frozen.js';
import { Snapshot } from './value-snapshot.js';

/** Bytes from which on an argument is remembered for the rest of its turn. */
const LARGE = 64 * 1024;
/** Arguments that are remembered. */
const MOST = 4;

/** In the place of a snapshot: nothing can change the value any more. */
const FROZEN = { matches: (): boolean => true };

/** Stands for one copy of a large argument, which several calls may share. Its memory counts once in each queue. */
export class CopyToken {
  /** Calls that were made with it. */
  calls = 1;
  /** Its memory is written over: nothing shares it any more. */
  isSpent = false;
  constructor(readonly size: number) {}
}

interface Remembered {
  readonly input: unknown;
  readonly limit: number;
  readonly bytes: Encoded | undefined;
  readonly token: CopyToken;
  /** Content that the bytes stand for, known when the value comes a second time unchanged; `FROZEN`: nothing can change it. */
  snapshot: Snapshot | typeof FROZEN | undefined;
}

/** An argument as its call keeps it. `token`: of a large one. */
export interface Copied {
  readonly value: Encoded | string;
  readonly token: CopyToken | undefined;
}

/** Large arguments of this turn of the event loop, the latest first. */
let remembered: Remembered[] = [];
const forget = (): void => {
  remembered = [];
};

/**
 * The copy of an argument. The same value in one turn, unchanged, is copied once: a large table for each of a hundred calls.
 * `shares`: memory in it may be moved to the worker and shared with it. Throws NotCloneableError, MessageTooLargeError.
 */
export function copyArgument(input: unknown, limit: number, shares = false): Copied {
  const known = remembered.length === 0 ? undefined : remembered.find(each => each.input === input && each.limit === limit);
  const kept = known?.token.isSpent === false ? known.bytes : undefined;
  if (known && kept !== undefined && known.snapshot?.matches(input)) return shared(known, kept);
  const bytes = encodeValue(input, limit, 'input', shares);
  if (bytes.length < LARGE || hasAttachments(bytes)) return { value: bytes, token: undefined };
  if (known && kept !== undefined && Buffer.compare(bytes, kept) === 0) {
    // Not before now: it may have been changed and then frozen.
    known.snapshot ??= isDeeplyFrozen(input) ? FROZEN : Snapshot.of(input);
    reuseEncoded(bytes);
    return shared(known, kept);
  }
  return { value: bytes, token: remember(input, limit, bytes, bytes.length) };
}

/** A text is kept as it is: it cannot change. */
export function keepText(input: string): Copied {
  if (input.length < LARGE) return { value: input, token: undefined };
  const known = remembered.find(each => each.input === input);
  return known ? shared(known, input) : { value: input, token: remember(input, 0, undefined, input.length) };
}

function shared({ token }: Remembered, value: Encoded | string): Copied {
  token.calls++;
  return { value, token };
}

function remember(input: unknown, limit: number, bytes: Encoded | undefined, size: number): CopyToken {
  const token = new CopyToken(size);
  if (remembered.length === 0) setImmediate(forget);
  remembered = [{ input, limit, bytes, token, snapshot: undefined }, ...remembered.filter(each => each.input !== input).slice(0, MOST - 1)];
  return token;
}
