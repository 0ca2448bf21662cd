import { Buffer } from 'node:buffer';
import { getHeapStatistics } from 'node:v8';
import { ProtocolError } from '../../errors.js';
import { ATTACHED_SIZE, attachedView, type Attachments } from './attachments.js';
import { decodeError } from './error-decoding.js';
import { decodeBigInt, decodeMap, decodeRegExp, decodeSet, decodeView } from './extras.js';
import { isLongKey, LongKeys, MOST_NEW_NAMES, mostPartsOf, TooManyPartsError } from './dear-values.js';
import { defineOwn, isIndexed, keyText, missed, setIndexed } from './keys.js';
import { cutOff, isTextAt, malformed, ByteReader } from '../bytes/reader.js';
import { assign, Shapes } from './shapes.js';
import { MAX_DEPTH, Tag } from './tags.js';

/** Buffers from so many bytes on are not copied out of memory that is theirs alone. */
const VIEW_FROM = 32 * 1024;

/**
 * Small values take up to 40 bytes of heap for each of their bytes: a master with little heap must not be ended by one message that is
 * within `maxMessageSize`. Estimated by what takes most, objects and the elements of arrays and collections.
 */
const MOST_HEAP = Math.floor(getHeapStatistics().heap_size_limit / 4);
const CONTAINER = 56;
const ELEMENT = 24;

/** Decodes values from untrusted bytes: linear in their number, in time and memory. */
export class ValueDecoder extends ByteReader {
  #depth = 0;
  /** Elements that arrays and collections have announced so far; each takes a byte, so that honest ones never exceed the bytes there are. */
  #announced = 0;
  /** Bytes of heap that the value may still take, by estimate. */
  #heap = 0;
  #size = 0;
  #owned = false;
  /** The objects that came beside this value. */
  #attachments: Attachments | undefined;
  /** The objects of this value, in order, when it says that it needs them. */
  #objects: unknown[] | undefined;
  /** Property names of this value that V8 does not hash. */
  #longNames: LongKeys | undefined;
  /** False: a regular expression is malformed. */
  readonly regExps: boolean;
  /** How many objects, names and entries of collections a value of a peer may have. Undefined: one of another process, see dear-values.ts. */
  mostParts: number | undefined;
  /** How many it may still have. */
  #parts = 0;
  readonly #shapes = new Shapes();
  /** Values of objects whose end has not been read, innermost on top. */
  readonly #values: unknown[] = [];
  #top = 0;
  #highest = 0;

  constructor({ regExps = true, trusted = false }: { readonly regExps?: boolean; readonly trusted?: boolean } = {}) {
    super();
    this.regExps = regExps;
    if (trusted) this.mostParts = Infinity;
  }

  /**
   * Decodes the one value in `buf[start, end)`; with `owned` large Buffers are views of that memory, else everything is a copy.
   * `attachments` is what came beside it. Throws ProtocolError, whatever the bytes are.
   */
  decode(buf: Buffer, start: number, end: number, owned: boolean, attachments?: Attachments): unknown {
    this.#owned = owned;
    this.#attachments = attachments;
    this.buf = buf;
    this.pos = start;
    this.end = end;
    this.#depth = 0;
    this.#announced = 0;
    this.#heap = MOST_HEAP;
    this.#size = end - start;
    this.#parts = this.mostParts ?? mostPartsOf(this.#size);
    missed.keys = 0;
    try {
      if (attachments !== undefined) this.skip(ATTACHED_SIZE);
      if (buf[this.pos] === Tag.SHARED && this.pos < end) {
        this.pos++;
        this.#objects = [];
      }
      const value = this.value();
      if (this.pos !== end) throw malformed('bytes behind the value');
      return value;
    } catch (error) {
      // The language refused to build a part: a regular expression, a string that is too long.
      throw error instanceof ProtocolError ? error : malformed('a part that cannot be built', error);
    } finally {
      this.#objects = this.#longNames = this.#attachments = undefined;
      // Nothing that was decoded is kept alive by the next message's coming late.
      if (this.#top > this.#highest) this.#highest = this.#top;
      if (this.#values.length > 256) this.#values.length = 0;
      else for (let i = 0; i < this.#highest; i++) this.#values[i] = undefined;
      this.#highest = this.#top = 0;
    }
  }

  value(): unknown {
    const tag = this.byte();
    if (tag < Tag.INT_END) return tag;
    if (tag < Tag.STRING_END) return this.latin1(tag - Tag.STRING);
    if (tag < Tag.ARRAY_END) return this.#array(tag - Tag.ARRAY);
    if (tag < Tag.SPARSE_END) return this.#sparse(this.announce(tag - Tag.SPARSE));
    switch (tag) {
      case Tag.UNDEFINED:
        return undefined;
      case Tag.NULL:
        return null;
      case Tag.FALSE:
        return false;
      case Tag.TRUE:
        return true;
      case Tag.INT8:
        return (this.byte() << 24) >> 24;
      case Tag.INT16:
        return ((this.byte() | (this.byte() << 8)) << 16) >> 16;
      case Tag.INT32:
        return this.uint32() | 0;
      case Tag.UINT32:
        return this.uint32();
      case Tag.DOUBLE:
        return this.double();
      case Tag.OBJECT:
        return this.#object();
      case Tag.ARRAY32:
        return this.#array(this.count(1));
      case Tag.BUFFER:
        return this.created(this.#buffer());
      case Tag.DATE:
        this.part(1);
        return this.created(new Date(this.double()));
      case Tag.REF:
        return this.#reference();
      default:
        return isTextAt(tag) ? this.text(tag) : this.#rare(tag);
    }
  }

  /** A u32 that announces so many elements of `each` values. */
  count(each: number): number {
    const count = this.uint32();
    this.announce(count * each);
    return count;
  }

  announce(elements: number): number {
    this.#announced += elements;
    if (this.#announced > this.#size) throw malformed('more elements than bytes');
    this.#take(elements * ELEMENT);
    return elements;
  }

  /** An object that has begun: others may refer to it. */
  created<T>(object: T): T {
    this.#objects?.push(object);
    return object;
  }

  /** How many objects have begun, where others may refer to them. */
  get begun(): number {
    return this.#objects?.length ?? 0;
  }

  /** Puts another object in that place: later references to the place get it. */
  replace(place: number, object: object): void {
    if (this.#objects) this.#objects[place] = object;
  }

  /** One level deeper; `leave` must follow. */
  enter(): void {
    if (++this.#depth > MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH} levels`);
    this.#take(CONTAINER);
    this.part(1);
  }

  /** Counts objects and entries of collections; throws beyond what a value may have. */
  part(count: number): void {
    this.#parts -= count;
    if (this.#parts >= 0) return;
    if (this.mostParts === undefined) throw new TooManyPartsError(mostPartsOf(this.#size), 'objects and entries of collections');
    throw malformed(`more than ${this.mostParts} objects, keys and entries of collections`);
  }

  /** Counts names. Those of another process cost next to nothing while they are the same again. */
  #names(count: number): void {
    if (this.mostParts !== undefined) this.part(count);
    else if (missed.keys > MOST_NEW_NAMES) throw new TooManyPartsError(MOST_NEW_NAMES, 'different names');
  }

  #take(bytes: number): void {
    this.#heap -= bytes;
    if (this.#heap < 0) throw malformed(`it would take more than a quarter of the heap (${MOST_HEAP} bytes)`);
  }

  leave(): void {
    this.#depth--;
  }

  /** Key, value, … END, each given to `define`. */
  properties(define: (key: string, value: unknown) => void): void {
    while (this.buf[this.pos] !== Tag.END || this.pos >= this.end) {
      const key = this.#name();
      this.#names(1);
      define(key, this.value());
    }
    this.pos++;
  }

  #object(): Record<string, unknown> {
    this.enter();
    const object = this.#objects === undefined ? this.#shaped() : this.#extended(this.created({}));
    this.#depth--;
    return object;
  }

  /** Most objects have keys that were read before, in that order: their values are gathered and the object is made in one go. */
  #shaped(): Record<string, unknown> {
    const values = this.#values;
    const from = this.#top;
    let shape = this.#shapes.root;
    for (;;) {
      const { buf, pos } = this;
      if (buf[pos] === Tag.END) break;
      let next = shape.next;
      if (next === undefined || !next.matches(buf, pos)) {
        next = this.#shapes.after(shape, buf, pos, this.end);
        if (next === undefined) {
          this.#names(this.#top - from);
          this.#top = from;
          return this.#extended(assign(shape.keys, values, from));
        }
      }
      this.pos = pos + next.wire.length;
      const value = this.value();
      values[this.#top++] = value;
      shape = next;
    }
    if (this.#top > this.#highest) this.#highest = this.#top;
    this.#names(this.#top - from);
    this.#top = from;
    this.skip(1);
    return this.#shapes.make(shape, values, from);
  }

  /** The rest of an object, key by key. */
  #extended(object: Record<string, unknown>): Record<string, unknown> {
    const { buf, end } = this;
    let indexed = 0;
    for (;;) {
      const pos = this.pos;
      if (pos >= end) throw cutOff();
      const tag = buf[pos]!;
      if (tag === Tag.END) break;
      let key: string;
      if (tag >= Tag.STRING && tag < Tag.STRING_END && pos + 1 + tag - Tag.STRING <= end) {
        key = keyText(buf, pos + 1, tag - Tag.STRING);
        this.pos = pos + 1 + tag - Tag.STRING;
      } else key = this.#name();
      this.#names(1);
      const value = this.value();
      if (isIndexed(key)) setIndexed(object, key, value, indexed++);
      else if (key === '__proto__') defineOwn(object, key, value);
      else object[key] = value;
    }
    this.pos++;
    return object;
  }

  /** A property name of any length. */
  #name(): string {
    const name = this.string();
    missed.keys++;
    if (isLongKey(name) && !(this.#longNames ??= new LongKeys()).admit(name)) throw malformed('too many long names of one length');
    return name;
  }

  // prettier-ignore
  #array(length: number): unknown[] {
    this.enter();
    let array: unknown[];
    if (length > 4 || this.#objects !== undefined) array = this.#elements(length);
    // A literal has room for its elements and no more.
    else switch (length) {
      case 0: array = []; break;
      case 1: array = [this.value()]; break;
      case 2: array = [this.value(), this.value()]; break;
      case 3: array = [this.value(), this.value(), this.value()]; break;
      default: array = [this.value(), this.value(), this.value(), this.value()];
    }
    this.#depth--;
    return array;
  }

  #elements(length: number): unknown[] {
    // The announced length takes no more memory than a few times the bytes that are there: `count` saw to it.
    const array: unknown[] = this.created(new Array<unknown>(length));
    for (let i = 0; i < length; i++) array[i] = this.value();
    return array;
  }

  #sparse(length: number): unknown[] {
    this.enter();
    // Memory for the announced elements is bounded by the bytes that are there.
    const array: unknown[] = this.created(new Array<unknown>(length));
    for (let i = 0; i < length; i++) {
      if (this.buf[this.pos] === Tag.HOLE && this.pos < this.end) this.pos++;
      else array[i] = this.value();
    }
    this.#depth--;
    return array;
  }

  #buffer(): Buffer {
    this.part(1);
    const length = this.uint32();
    const start = this.skip(length);
    if (this.#owned && length >= VIEW_FROM) return this.buf.subarray(start, start + length);
    const copy = Buffer.allocUnsafe(length);
    if (length > 24) this.buf.copy(copy, 0, start, start + length);
    else for (let i = 0; i < length; i++) copy[i] = this.buf[start + i]!;
    return copy;
  }

  #attachment(place: number): unknown {
    if (this.#attachments === undefined || place >= this.#attachments.length)
      throw malformed('something beside the value that did not come');
    return this.created(this.#attachments[place]);
  }

  #attachedView(): unknown {
    const type = this.byte();
    const place = this.uint32();
    const view = attachedView(type, this.#attachments?.[place], this.double(), this.double());
    if (view === undefined) throw malformed('a view of memory that did not come');
    return this.created(view);
  }

  #reference(): unknown {
    const index = this.uint32();
    if (this.#objects === undefined || index >= this.#objects.length) throw malformed('a reference to nothing');
    return this.#objects[index];
  }

  #rare(tag: number): unknown {
    switch (tag) {
      case Tag.SPARSE32:
        return this.#sparse(this.count(1));
      case Tag.MAP:
        return decodeMap(this);
      case Tag.SET:
        return decodeSet(this);
      case Tag.ERROR:
        return decodeError(this);
      case Tag.VIEW:
        return decodeView(this);
      case Tag.ATTACHMENT:
        return this.#attachment(this.uint32());
      case Tag.ATTACHED_VIEW:
        return this.#attachedView();
      case Tag.REGEXP:
        return decodeRegExp(this);
      case Tag.BIGINT64:
        return BigInt.asIntN(64, BigInt(this.uint32()) | (BigInt(this.uint32()) << 32n));
      case Tag.BIGINT:
        return decodeBigInt(this);
      case Tag.BOXED: {
        const primitive = this.value();
        if (primitive === null || primitive === undefined || typeof primitive === 'object') throw malformed('a box around no primitive');
        return this.created(Object(primitive));
      }
      default:
        throw malformed(`the unknown tag ${tag}`);
    }
  }
}
