import { withMessagesOf } from '../decorators/connection/message-kinds.js';
import { anything, checkGiven, flag, show } from '../option-rules.js';
import { toBytes, type Off, type Size } from '../units.js';
import type { Chunk, Framing } from './framing.js';
import { LineDecoder, lineEnd, type LineEncoding } from './decoding/line-decoder.js';
import { wholeOf } from './whole.js';

/** Options of {@link lines}: what ends a line, and how long one may be. */
export interface LinesOptions {
  /** The end of a line. Default '\n', and then a '\r' before it is dropped. */
  readonly delimiter?: string;
  /** How text lies in the bytes. Default 'utf8'; bytes that are no UTF-8 become U+FFFD. */
  readonly encoding?: 'utf8' | 'utf-8' | 'latin1' | 'binary' | 'ascii' | 'utf16le' | 'utf-16le' | 'ucs2' | 'ucs-2';
  /** The longest line that is accepted, in bytes without its delimiter: the framing's own `maxMessageSize`. Default '64kb'; 0 or false: no limit. */
  readonly maxLength?: Size | Off;
  /** Send a message that contains the delimiter as several lines, instead of refusing it. Default false. */
  readonly multiline?: boolean;
  /** Refuse a line that is no UTF-8 with a FramingError, instead of putting U+FFFD where it is wrong. Default false; only with 'utf8'. */
  readonly fatal?: boolean;
}

const ENCODINGS: ReadonlyMap<string, LineEncoding> = new Map([
  ['utf8', 'utf8'],
  ['utf-8', 'utf8'],
  ['latin1', 'latin1'],
  ['binary', 'latin1'],
  ['ascii', 'latin1'],
  ['utf16le', 'utf16le'],
  ['utf-16le', 'utf16le'],
  ['ucs2', 'utf16le'],
  ['ucs-2', 'utf16le'],
]);

/**
 * A line of text is a message. One that is unterminated when the peer finishes is delivered too.
 * Longer lines than the limit are refused as soon as they exceed it.
 *
 * Encoding throws for a message that contains the delimiter (it would arrive as two) or characters that the encoding does not know.
 * A '\r' at the end of a message is not kept: with the '\n' behind it, it is a line end.
 * @throws TypeError for an empty delimiter or an encoding that is not one of text, UsageError for a maxLength that is no size.
 * @example
 * @Connection({ listen: 'tcp://127.0.0.1:7000', framing: lines({ maxLength: '1mb' }) })
 * class Echo { @OnData() echo(line: string) { return line; } }
 */
export function lines(options: LinesOptions = {}): Framing<string> {
  checkGiven('lines()', options, { delimiter: anything, encoding: anything, maxLength: anything, multiline: flag, fatal: flag });
  const { delimiter = '\n', multiline = false, fatal = false } = options;
  const encoding = ENCODINGS.get(options.encoding ?? 'utf8');
  if (encoding === undefined)
    throw new TypeError(`lines() has no encoding ${show(options.encoding)}: write ${[...ENCODINGS.keys()].join(', ')}`);
  const end = lineEnd(delimiter, encoding);
  const ownLimit = options.maxLength === undefined ? undefined : toBytes(options.maxLength);

  const checked = (line: string): string => {
    if (typeof line !== 'string') throw new TypeError(`lines() encodes text, not ${line === null ? 'null' : typeof line}`);
    if (!multiline) refuseDelimiter(line, delimiter);
    return line;
  };
  const bytes = (text: string): Chunk => (encoding === 'utf8' ? text : encodeText(text, encoding));
  const stream = {
    // The connection's maxMessageSize replaces the framing's limit: errors name the option that holds.
    decoder: (limit: number) =>
      new LineDecoder(limit, end, limit === ownLimit ? 'maxLength' : 'maxMessageSize', fatal && encoding === 'utf8'),
    encode: (line: string) => bytes(checked(line) + delimiter),
    maxMessageSize: options.maxLength === false ? 0 : (options.maxLength ?? '64kb'),
    symmetric: true as const,
  };
  // The last line of a datagram needs no delimiter, except to tell an empty last line from none.
  const single = (line: string): Chunk => bytes(checked(line).endsWith(delimiter) ? line + delimiter : line);
  return withMessagesOf(String, { ...stream, whole: wholeOf(stream, single, () => '') });
}

function refuseDelimiter(line: string, delimiter: string): void {
  // A delimiter of several characters may also come about where the line and its delimiter meet: 'a' and 'aa'.
  const clean = delimiter.length === 1 ? !line.includes(delimiter) : (line + delimiter).indexOf(delimiter) === line.length;
  if (!clean)
    throw new TypeError(
      `a line cannot contain its delimiter ${JSON.stringify(delimiter)}: with multiline: true it is sent as several lines`,
    );
}

function encodeText(text: string, encoding: 'latin1' | 'utf16le'): Buffer {
  // Node keeps the lower byte of what latin1 does not know: 'Ċ' (U+010A) would leave as a line end.
  // oxlint-disable-next-line no-control-regex -- the range is the encoding's
  if (encoding === 'latin1' && /[^\u0000-\u00ff]/.test(text)) throw new TypeError('a line has characters that latin1 does not know');
  return Buffer.from(text, encoding);
}
