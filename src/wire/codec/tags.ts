/**
 * The byte layout of an encoded value: one tag byte, then what the tag says. Numbers are little-endian.
 *
 * The bytes of a value bound its memory: a receiver may decode untrusted bytes, because no kind takes
 * more than about 40 bytes of heap (and a few tens of nanoseconds) for each of its bytes. Kinds that are dear to build carry padding for
 * that reason.
 */
export const Tag = {
  /** 0x00–0x3f: the integers 0 to 63. */
  INT_END: 0x40,
  /** 0x40–0x5f: a latin1 string of 0 to 31 bytes. */
  STRING: 0x40,
  STRING_END: 0x60,
  /** 0x60–0x6f: an array of 0 to 15 elements. */
  ARRAY: 0x60,
  ARRAY_END: 0x70,
  /** 0x70–0x7f: the same with HOLEs among the elements. */
  SPARSE: 0x70,
  SPARSE_END: 0x80,

  UNDEFINED: 0x80,
  NULL: 0x81,
  FALSE: 0x82,
  TRUE: 0x83,
  INT8: 0x84,
  INT16: 0x85,
  INT32: 0x86,
  UINT32: 0x87,
  DOUBLE: 0x88,
  /** A BigInt that fits 64 bits, signed. */
  BIGINT64: 0x89,
  /** u8 sign, u32 length, magnitude in big-endian bytes. */
  BIGINT: 0x8a,
  /** u8 length, latin1. */
  STRING8: 0x8b,
  /** u32 length, latin1. */
  STRING32: 0x8c,
  /** u32 length in bytes. */
  UTF8: 0x8d,
  /** u8 length in code units. */
  UTF16_8: 0x8e,
  /** u32 length in code units. */
  UTF16: 0x8f,
  /** u32 count. */
  ARRAY32: 0x90,
  /** Inside a sparse array: no element here. */
  HOLE: 0x91,
  /** Key, value, key, value …, END. Keys are strings. */
  OBJECT: 0x92,
  END: 0x93,
  /** u32 count, then key, value, … */
  MAP: 0x94,
  /** u32 count, then the elements. */
  SET: 0x95,
  /** Milliseconds as a double; NaN for an invalid date. */
  DATE: 0x96,
  /** Padding, source, flags. */
  REGEXP: 0x97,
  /** u32 length, bytes. */
  BUFFER: 0x98,
  /** u8 type (index of VIEW_TYPES), u32 length in bytes, padding, bytes. */
  VIEW: 0x99,
  /** u8 flags (ErrorFlag), padding, class, name, then what the flags announce, then properties as in OBJECT. */
  ERROR: 0x9a,
  /** Boxed primitive: the primitive. */
  BOXED: 0x9b,
  /** u32: the object that was begun as the n-th of this value. Only behind SHARED. */
  REF: 0x9c,
  /** Only as the very first byte: what follows has REFs, so that every object must be remembered. */
  SHARED: 0x9d,
  /** u32 count: an array with HOLEs among its elements. */
  SPARSE32: 0x9e,
  /** Only as the very first byte, even before SHARED: u32, the number on this link of the list of things that travel beside the value. */
  ATTACHED: 0x9f,
  /** u32: the thing of that place in the list. */
  ATTACHMENT: 0xa0,
  /** u8 type (as in VIEW, and one more for Buffers), u32 place in the list, offset and length in bytes as doubles. */
  ATTACHED_VIEW: 0xa1,
} as const;

export const ErrorFlag = {
  /** The class was registered with `@Transferable` (or is one of the framework's); else a built-in one. */
  REGISTERED: 1,
  OWN_NAME: 2,
  MESSAGE: 4,
  STACK: 8,
  CAUSE: 16,
  ERRORS: 32,
  /** Behind the stack: padding, and the value that `rebuild` of its class takes. */
  FIELDS: 64,
} as const;

/** How deep values may nest, on both sides. */
export const MAX_DEPTH = 100;
/** Bytes of padding, where building the object costs more than its bytes. */
export const REGEXP_PADDING = 16;
export const VIEW_PADDING = 10;
export const ERROR_PADDING = 30;
/** In front of FIELDS: for them a constructor of the application's runs. */
export const FIELDS_PADDING = 64;

/** Types of a VIEW; the index is its type on the wire. */
export const VIEW_TYPES = [
  ArrayBuffer,
  DataView,
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
] as const;

/** The error classes of the language. `DOMException` is the platform's: AbortError and TimeoutError are made of it. */
export const BUILT_IN_ERRORS: Readonly<Record<string, ErrorConstructor | AggregateErrorConstructor>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
};
