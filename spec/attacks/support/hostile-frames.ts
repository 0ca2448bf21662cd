import { encodeValue } from '../../../src/wire/codec/codec.js';
import { HEADER_SIZE, LARGE, PIECE, PIECE_SIZE, writeHeader } from '../../../src/wire/link/frames.js';
import { Kind, PROTOCOL_VERSION, UPWARD } from '../../../src/wire/link/protocol.js';
import { Tag } from '../../../src/wire/codec/tags.js';
import { INITIAL_ROOM } from '../../../src/wire/link/credit.js';

/** Numbers that come again with the same seed: mulberry32. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** 0 ≤ n < below. */
  roll(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  }
  chance(of: number): boolean {
    return this.roll(1000) < of * 1000;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.roll(list.length)]!;
  }
}

export interface Frame {
  kind: number;
  id: number;
  arg: number;
  value: Uint8Array;
  /** What its length says, where that is a lie. */
  length?: number;
}

/** What a hostile worker knows of its link. */
export interface Situation {
  readonly name: string;
  readonly tasks: readonly string[];
  /** Calls that it was sent and has not settled. */
  readonly live: readonly number[];
  readonly highest: number;
}

const NOTHING = new Uint8Array();

export function bytesOf({ kind, id, arg, value, length = value.length }: Frame): Buffer {
  const bytes = Buffer.alloc(HEADER_SIZE + value.length);
  writeHeader(bytes, 0, length, kind, id, arg);
  bytes.set(value, HEADER_SIZE);
  return bytes;
}

export function hello({ name, tasks }: Situation): Frame {
  const value = encodeValue({ version: PROTOCOL_VERSION, name, pid: 1, tasks, context: tasks.map(() => true) });
  return { kind: Kind.HELLO, id: 0, arg: 0, value };
}

export const ready: Frame = { kind: Kind.READY, id: 0, arg: 0, value: NOTHING };

const u32 = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24];

/** Values that no honest encoder writes: counts and lengths beyond the bytes there are, depth without end, references to nothing. */
const BOMBS: readonly Uint8Array[] = [
  [Tag.SPARSE32, ...u32(0xffff_ffff), Tag.HOLE],
  [Tag.SPARSE_END - 1, ...Array<number>(15).fill(Tag.SPARSE_END - 1)],
  [Tag.ARRAY32, ...u32(0xffff_ffff)],
  [Tag.ARRAY32, ...u32(50_000), ...Array<number>(49_999).fill(Tag.ARRAY)],
  [Tag.MAP, ...u32(0x7fff_ffff), Tag.NULL, Tag.NULL],
  [Tag.SET, ...u32(0x7fff_ffff), Tag.NULL],
  [Tag.UTF8, ...u32(0xffff_fff0), 65],
  [Tag.UTF16, ...u32(0x7fff_ffff), 65, 0],
  [Tag.STRING32, ...u32(0x3fff_ffff), 65],
  [Tag.BIGINT, 0, ...u32(0x3fff_ffff), 1],
  [Tag.BIGINT, 1, ...u32(60_000), ...Array<number>(60_000).fill(255)],
  [Tag.BUFFER, ...u32(0xffff_ffff)],
  [Tag.VIEW, 10, ...u32(0xffff_fff8)],
  [Tag.VIEW, 99, ...u32(8)],
  Array<number>(60_000).fill(Tag.ARRAY + 1),
  Array<number>(60_000).fill(Tag.OBJECT),
  Array<number>(60_000).fill(Tag.BOXED),
  [Tag.ERROR, 255],
  [Tag.SHARED, Tag.REF, ...u32(0)],
  [Tag.SHARED, Tag.ARRAY + 1, Tag.REF, ...u32(0xffff_ffff)],
  [Tag.SHARED, Tag.SHARED],
  [Tag.OBJECT, Tag.STRING + 9, ...Buffer.from('__proto__'), Tag.OBJECT, Tag.END, Tag.END],
  [Tag.REGEXP, ...Array<number>(16).fill(0), Tag.STRING + 9, ...Buffer.from('(a+)+(b+)'), Tag.STRING],
  [Tag.REGEXP, ...Array<number>(16).fill(0), Tag.STRING32, ...u32(2600), ...Buffer.from('\\p{RGI_Emoji}'.repeat(200)), Tag.STRING + 1, 118],
  [Tag.REGEXP, ...Array<number>(16).fill(0), Tag.STRING + 8, ...Buffer.from('[^\\p{L}]'), Tag.STRING + 1, 117],
  [Tag.OBJECT, ...Array.from({ length: 20 }, (_, i) => [Tag.STRING32, ...u32(16_384), ...Buffer.alloc(16_384, 65 + i), 0]).flat(), Tag.END],
  [Tag.DATE],
  [Tag.END],
  [Tag.HOLE],
].map(bytes => Uint8Array.from(bytes));

const VALUES: readonly unknown[] = [
  undefined,
  null,
  -0,
  NaN,
  'text',
  'x'.repeat(5000),
  { a: [1, { b: 2n }] },
  new Map([[{}, new Set([1])]]),
  new Error('of a worker', { cause: { deep: [1] } }),
  Buffer.alloc(3000, 1),
  Array.from({ length: 200 }, (_, i) => ({ i })),
  ['progress', 5],
  ['progress', 'not a number'],
  ['other', 1],
];

/** A frame that could be right at this moment: each kind in each phase. */
function plausible(dice: Dice, at: Situation): Frame {
  const id = at.live.length > 0 ? dice.pick(at.live) : dice.roll(at.highest + 2);
  const value = encodeValue(dice.pick(VALUES));
  const upward = UPWARD + 1 + dice.roll(40);
  const frames: readonly (() => Frame)[] = [
    () => ({ kind: Kind.REPLY, id, arg: 0, value }),
    () => ({ kind: Kind.FAILURE, id, arg: 0, value: encodeValue(new RangeError('no')) }),
    () => ({ kind: Kind.ITEM, id, arg: 0, value: encodeValue(dice.roll(100)) }),
    () => ({ kind: Kind.END, id, arg: 0, value: NOTHING }),
    () => ({ kind: Kind.CREDIT, id, arg: (1 << 24) | (1 + dice.roll(16)), value: NOTHING }),
    () => ({ kind: Kind.EVENT, id, arg: 0, value: encodeValue(['progress', dice.roll(100)]) }),
    () => ({ kind: Kind.DROPPED, id, arg: 0, value: NOTHING }),
    () => ({ kind: Kind.STATUS, id: 0, arg: 0, value }),
    () => ({ kind: Kind.STATUS, id: 0, arg: 0, value }),
    () => ({ kind: Kind.MESSAGE, id: 0, arg: 0, value }),
    () => ({ kind: Kind.STRAY, id: 0, arg: dice.roll(2), value }),
    () => ({ kind: Kind.CONNECTIONS, id: 0, arg: dice.roll(3), value: NOTHING }),
    () => ({ kind: Kind.PONG, id: 0, arg: dice.roll(3), value: NOTHING }),
    () => ({ kind: Kind.NESTED_CALL, id: upward, arg: dice.roll(3), value: encodeValue(upcall(dice, id)) }),
    () => ({ kind: Kind.CANCEL, id: upward, arg: dice.pick([0, 2]), value: NOTHING }),
    () => ({ kind: Kind.CREDIT, id: upward, arg: (dice.pick([0, 2]) << 24) | 5, value: NOTHING }),
    () => ({ kind: Kind.ITEM, id: upward, arg: 1, value }),
    () => ({ kind: Kind.END, id: upward, arg: 1, value: NOTHING }),
  ];
  return dice.pick(frames)();
}

function upcall(dice: Dice, parent: number): object {
  const worker = dice.pick(['good', 'good', 'hostile', 'nobody']);
  const task = dice.pick(['run', 'count', 'take', 'tick', 'toString', 'constructor']);
  return {
    worker,
    task,
    input: dice.pick(VALUES),
    parent: dice.chance(0.5) ? parent : undefined,
    sends: task === 'take',
    timeout: 1 + dice.roll(50),
  };
}

const IDS = [0, 1, 2, 0x7fff_ffff, UPWARD, UPWARD + 1, 0xffff_ffff];

/** The ways of being wrong; each takes a plausible frame and gives what is written in its place. */
const MUTATIONS: readonly ((frame: Frame, dice: Dice) => Buffer)[] = [
  (frame, dice) => bytesOf({ ...frame, id: dice.pick(IDS) }),
  (frame, dice) => bytesOf({ ...frame, id: dice.roll(2 ** 31) * 2 }),
  (frame, dice) => bytesOf({ ...frame, arg: dice.pick([1, 2, 3, 0xff, 0xff_ffff, 0xffff_ffff]) }),
  (frame, dice) => bytesOf({ ...frame, kind: dice.roll(256) }),
  (frame, dice) => bytesOf({ ...frame, kind: dice.pick(Object.values(Kind)) }),
  (frame, dice) => bytesOf({ ...frame, value: dice.pick(BOMBS) }),
  (frame, dice) => bytesOf({ ...frame, value: dice.pick(BOMBS) }),
  (frame, dice) => {
    const bytes = bytesOf(frame);
    for (let i = 1 + dice.roll(4); i > 0; i--) bytes[dice.roll(bytes.length)]! ^= 1 << dice.roll(8);
    return bytes;
  },
  (frame, dice) => bytesOf({ ...frame, value: frame.value.subarray(0, dice.roll(frame.value.length + 1)) }),
  (frame, dice) => bytesOf({ ...frame, value: Buffer.concat([frame.value, Buffer.alloc(1 + dice.roll(20), dice.roll(256))]) }),
  (frame, dice) => bytesOf({ ...frame, length: dice.pick([0, 1, -9, -1, PIECE_SIZE, PIECE_SIZE + 1, 0x7fff_ffff, 0xffff_fff0]) }),
  (_frame, dice) => Buffer.from(Array.from({ length: 1 + dice.roll(60) }, () => dice.roll(256))),
  // Large values: announced beyond the limit, in vain, within one another, with pieces that belong to nothing or never come.
  (frame, dice) =>
    bytesOf({ ...frame, kind: LARGE, value: Buffer.from([frame.kind, ...u32(dice.pick([0, 1, PIECE_SIZE + 1, 10 ** 6, 0xffff_ffff]))]) }),
  (_frame, dice) => bytesOf({ kind: PIECE, id: 0, arg: 0, value: Buffer.alloc(1 + dice.roll(PIECE_SIZE)) }),
  frame => {
    const large = bytesOf({ ...frame, kind: LARGE, value: Buffer.from([frame.kind, ...u32(PIECE_SIZE * 4)]) });
    const piece = bytesOf({ kind: PIECE, id: 0, arg: 0, value: Buffer.alloc(PIECE_SIZE, Tag.ARRAY + 1) });
    return Buffer.concat([large, piece, piece, bytesOf(ready), piece, piece]);
  },
  frame => Buffer.concat(Array.from({ length: INITIAL_ROOM.messages.count + 1 }, () => bytesOf({ ...frame, kind: Kind.MESSAGE, id: 0 }))),
  frame => Buffer.concat(Array.from({ length: INITIAL_ROOM.items.count + 2 }, () => bytesOf({ ...frame, kind: Kind.ITEM, arg: 0 }))),
  frame => Buffer.concat(Array.from({ length: INITIAL_ROOM.events.count + 1 }, () => bytesOf({ ...frame, kind: Kind.EVENT }))),
];

export const MUTATION_COUNT = MUTATIONS.length;

/** Something to write at this moment, and how many frames that is. `used`: which mutation, -1 for none. */
export function attack(dice: Dice, at: Situation, wrong: number): { bytes: Buffer; frame: Frame; used: number } {
  const frame = plausible(dice, at);
  if (!dice.chance(wrong)) return { bytes: bytesOf(frame), frame, used: -1 };
  const used = dice.roll(MUTATIONS.length);
  return { bytes: MUTATIONS[used]!(frame, dice), frame, used };
}
