import { shortText, SHORT } from '../bytes/short-text.js';
import { Tag } from './tags.js';

/** A function that makes an object of known keys from `values[at]`, `values[at + 1]` …: a literal, so that it has its final layout at once. */
export type ShapeMaker = (values: readonly unknown[], at: number) => Record<string, unknown>;

/** The keys that have been read of an object so far, in order: a node of a tree whose root is no key at all. */
export class Shape {
  readonly keys: readonly string[];
  /** The last key as it stands on the wire. */
  readonly wire: Uint8Array;
  /** The shape that followed last time; it mostly follows again. */
  next: Shape | undefined;
  readonly #others: Shape[] = [];
  maker: ShapeMaker | undefined;
  #met = 0;

  constructor(keys: readonly string[], wire: Uint8Array) {
    this.keys = keys;
    this.wire = wire;
  }

  /** Whether the bytes at `pos` are this shape's last key. */
  matches(buf: Uint8Array, pos: number): boolean {
    const { wire } = this;
    for (let i = 0; i < wire.length; i++) if (wire[i] !== buf[pos + i]) return false;
    return true;
  }

  /** The child whose key stands at `pos`, other than `next`; it is expected next time. */
  find(buf: Uint8Array, pos: number): Shape | undefined {
    for (const shape of this.#others) {
      if (shape.matches(buf, pos)) {
        this.next = shape;
        return shape;
      }
    }
    return undefined;
  }

  get full(): boolean {
    return this.#others.length >= MOST_CHILDREN;
  }

  add(shape: Shape): void {
    this.#others.push(shape);
    this.next = shape;
  }

  /** True from the moment on at which a maker has paid for its compilation. */
  meet(): boolean {
    return ++this.#met === COMPILE_AFTER;
  }
}

const COMPILE_AFTER = 16;
/**
 * Children of a node that are searched, and bound on the tree's growth through a hostile sender. Beyond it objects are built key by key.
 */
const MOST_CHILDREN = 32;
const MOST_KEYS = 32;
const MOST_SHAPES = 1024;
const MOST_MAKERS = 128;

/** The shapes that one sender's objects have. Never shared between senders: one cannot fill another's. */
export class Shapes {
  readonly root = new Shape([], new Uint8Array(0));
  #shapes = 0;
  #makers = 0;

  /** The shape after one more key, which stands at `pos`; undefined where that key is too special, or there are too many shapes. */
  after(shape: Shape, buf: Uint8Array, pos: number, end: number): Shape | undefined {
    const known = shape.find(buf, pos);
    if (known !== undefined) return known;
    const length = buf[pos]! - Tag.STRING;
    if (length < 1 || length > SHORT || pos + 1 + length > end) return undefined;
    if (this.#shapes === MOST_SHAPES || shape.full || shape.keys.length === MOST_KEYS) return undefined;
    const first = buf[pos + 1]!;
    // Indices have no place in a layout, and `__proto__` in a literal is no property.
    if (first >= 0x30 && first <= 0x39) return undefined;
    const key = shortText(buf, pos + 1, length);
    if (key === '__proto__') return undefined;
    this.#shapes++;
    // A copy: the message lies in memory that the next one will be read into, and `slice` of a Buffer is a view of it.
    const child = new Shape([...shape.keys, key], new Uint8Array(buf.subarray(pos, pos + 1 + length)));
    shape.add(child);
    return child;
  }

  /** An object of that shape. */
  make(shape: Shape, values: readonly unknown[], at: number): Record<string, unknown> {
    if (shape.maker !== undefined) return shape.maker(values, at);
    if (shape.meet() && this.#makers < MOST_MAKERS) {
      this.#makers++;
      shape.maker = compile(shape.keys);
    }
    return assign(shape.keys, values, at);
  }
}

/** The slow way: key by key. */
export function assign(keys: readonly string[], values: readonly unknown[], at: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (let i = 0; i < keys.length; i++) object[keys[i]!] = values[at + i];
  return object;
}

/** Undefined where the process may not compile strings (`--disallow-code-generation-from-strings`). */
function compile(keys: readonly string[]): ShapeMaker | undefined {
  const properties = keys.map((key, index) => `${JSON.stringify(key)}:v[i+${index}]`);
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- nothing but quoted keys goes in; a literal is four times as fast as stores
    return new Function('v', 'i', `return {${properties.join()}}`) as ShapeMaker;
  } catch {
    return undefined;
  }
}
