import type { Ctor } from '../blueprint/types.js';
import type { Size } from '../units.js';

/** Where a connection is handed off to. */
export interface HandOffOptions {
  /** Which of the worker's connection classes. Not needed where it has one. */
  readonly to?: Ctor | undefined;
  /** The value of `peer.data` there: plain data, copied. */
  readonly data?: object | undefined;
  /** The key of a worker that was started under keys. */
  readonly key?: string | undefined;
}

/** Options of `peer.pipe()`. */
export interface PipeOptions {
  /** Stop after so many bytes, 0 included; the rest is handled as messages again. Default: until the source has finished. */
  readonly limit?: Size | undefined;
  /** Half-close the target when the source has finished. Default true. */
  readonly end?: boolean | undefined;
}

/** The part of a file that `peer.sendFile()` sends. */
export interface FileRange {
  /** First byte. Default 0. */
  readonly start?: number | undefined;
  /** Bytes. Default: to the end of the file. */
  readonly length?: number | undefined;
}
