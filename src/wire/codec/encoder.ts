import { MessageTooLargeError } from '../../errors.js';
import { isLongKey, LongKeys } from './dear-values.js';
import { ATTACHED_SIZE, encodeAttached, moveAway } from './attachments.js';
import { notCloneable } from './cloneable.js';
import { Identities } from './identities.js';
import { encodeObject } from './objects.js';
import { MAX_DEPTH, Tag } from './tags.js';
import { ByteWriter } from '../bytes/writer.js';

/** Thrown inside the encoder only; the path is looked for once it is needed. */
const REFUSED: unique symbol = Symbol('refused');

/** Writes values into its sink, in one pass. */
export class ValueEncoder extends ByteWriter {
  /** True while a value is being written: a getter or a proxy in it may run anybody's code. */
  busy = false;
  /** False: a regular expression cannot be copied. */
  regExps = true;
  #depth = 0;
  /** Property names of this value that V8 does not hash. */
  #longNames: LongKeys | undefined;
  readonly #objects = new Identities();
  /** Things that travel beside this value; undefined where nothing can. */
  #attachments: unknown[] | undefined;
  /** The objects that travel beside the value that was encoded last; undefined: none. */
  attached: unknown[] | undefined;

  /**
   * Writes one value, at most `limit` bytes (0: any number). `root` is what paths and messages call it.
   * `shares`: memory can be moved to the receiver and shared with it; what travels so is in {@link attached} afterwards.
   * Throws NotCloneableError or MessageTooLargeError; then nothing has been written.
   */
  encode(value: unknown, limit: number, root: string, shares = false): void {
    const start = this.pos - this.base;
    this.busy = true;
    this.limit(limit, root);
    this.attached = undefined;
    this.#attachments = shares ? [] : undefined;
    try {
      this.value(value);
      if (this.#objects.shared) this.#markShared(start);
      if (shares && this.#attachments!.length > 0) this.#markAttached(start, this.#attachments!);
    } catch (error) {
      this.pos = this.base + start;
      throw error instanceof MessageTooLargeError ? error : notCloneable(value, root, error, { regExps: this.regExps, shares });
    } finally {
      this.unlimit();
      this.#objects.clear();
      this.#longNames = undefined;
      this.#depth = 0;
      this.#attachments = undefined;
      this.busy = false;
    }
  }

  value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.string(value);
      case 'number':
        return this.number(value);
      case 'object':
        if (value === null) return this.byte(Tag.NULL);
        return this.#object(value);
      case 'boolean':
        return this.byte(value ? Tag.TRUE : Tag.FALSE);
      case 'undefined':
        return this.byte(Tag.UNDEFINED);
      case 'bigint':
        return this.bigint(value);
      default:
        throw REFUSED;
    }
  }

  /** The keys and values of an object, and END. Own enumerable string keys only, as structuredClone takes them. */
  properties(object: object): void {
    for (const key in object) {
      if (!Object.prototype.hasOwnProperty.call(object, key)) continue;
      this.name(key);
      this.value((object as Record<string, unknown>)[key]);
    }
    this.byte(Tag.END);
  }

  /** A property name. */
  name(key: string): void {
    if (isLongKey(key) && !(this.#longNames ??= new LongKeys()).admit(key)) throw REFUSED;
    this.string(key);
  }

  /**
   * Runs `write`; if what it writes cannot be copied or is too large, it is as if it had not been called.
   * For the parts of errors, which must not keep the error from arriving.
   */
  optional(write: () => void): boolean {
    const start = this.pos - this.base;
    const depth = this.#depth;
    const attached = this.#attachments?.length ?? 0;
    if (this.#objects.attempt(write)) return true;
    this.#attachments?.splice(attached);
    this.pos = this.base + start;
    this.#depth = depth;
    return false;
  }

  #object(value: object): void {
    const place = this.#objects.begin(value);
    if (place >= 0) {
      this.byte(Tag.REF);
      return this.uint32(place);
    }
    if (++this.#depth > MAX_DEPTH) throw REFUSED;
    if (Array.isArray(value)) this.#array(value);
    else {
      const proto: unknown = Object.getPrototypeOf(value);
      if (proto === Object.prototype || proto === null) {
        this.byte(Tag.OBJECT);
        this.properties(value);
      } else if (this.#attachments === undefined || !encodeAttached(this, value, this.#attachments)) encodeObject(this, value, REFUSED);
    }
    this.#depth--;
  }

  #array(array: readonly unknown[]): void {
    // A proxy may say anything.
    const length = array.length >>> 0;
    // Every element takes a byte at least: an array of length 2³²−1 is refused before its holes are walked.
    this.reserve(length + (length < 16 ? 1 : 5));
    if (length < 16) this.buf[this.pos++] = Tag.ARRAY + length;
    else {
      this.buf[this.pos++] = Tag.ARRAY32;
      this.uint32(length);
    }
    const head = this.pos - this.base - (length < 16 ? 1 : 5);
    for (let i = 0; i < length; i++) {
      const item = array[i];
      if (item === undefined && !(i in array)) {
        this.buf[this.base + head] = length < 16 ? Tag.SPARSE + length : Tag.SPARSE32;
        this.byte(Tag.HOLE);
      } else this.value(item);
    }
  }

  #markAttached(start: number, list: unknown[]): void {
    moveAway(list);
    this.reserve(ATTACHED_SIZE);
    const from = this.base + start;
    this.buf.copyWithin(from + ATTACHED_SIZE, from, this.pos);
    this.buf[from] = Tag.ATTACHED;
    this.pos += ATTACHED_SIZE;
    this.attached = list;
  }

  /** References are rare and known only at the end: the value moves by one byte then. */
  #markShared(start: number): void {
    this.reserve(1);
    const from = this.base + start;
    this.buf.copyWithin(from + 1, from, this.pos);
    this.buf[from] = Tag.SHARED;
    this.pos++;
  }
}
