import { FramingError } from '../../errors.js';

/** The most header lines of one message. */
const MOST_HEADERS = 1000;

/** RFC 9110 token: what a header's name consists of. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const BEGINS_LIKE_HEADER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*:/;
/** Characters that end a line, or a string in some parsers. A tab is white space. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** The lines before a body. */
export interface HeaderBlock {
  readonly start?: string;
  /** Names in lower case; no prototype, so that no name of a peer's finds anything that was not sent. */
  readonly headers: Record<string, string>;
  /** Value of Content-Length; undefined without it. */
  readonly length: number | undefined;
}

/**
 * Reads header lines; `text` ends before the empty line. A first line that does not begin like a header is the start line.
 *
 * Strict where parsers are known to disagree: no folded lines, no white space before the colon, no control characters,
 * one Content-Length of digits alone, no Transfer-Encoding.
 */
export function parseHeaderBlock(text: string): HeaderBlock {
  const lines = text.split('\n', MOST_HEADERS + 3);
  let start: string | undefined;
  let first = 0;
  const opening = withoutReturn(lines[0]!);
  if (!BEGINS_LIKE_HEADER.test(opening)) {
    if (CONTROL.test(opening) || opening.startsWith(' ') || opening.startsWith('\t'))
      throw new FramingError('the start line has control characters or begins with white space');
    start = opening;
    first = 1;
  }
  const headers = Object.create(null) as Record<string, string>;
  for (let i = first; i < lines.length; i++) {
    if (i - first >= MOST_HEADERS) throw new FramingError(`a message has more than ${MOST_HEADERS} headers`);
    addHeader(headers, withoutReturn(lines[i]!));
  }
  const length = contentLength(headers['content-length']);
  return start === undefined ? { headers, length } : { start, headers, length };
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** The text from there on, without the spaces and tabs around it. Not trim(): that takes off what may be content. */
function withoutBlanks(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start++;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isBlank(character: number): boolean {
  return character === 0x20 || character === 0x09;
}

function addHeader(headers: Record<string, string>, line: string): void {
  if (line.startsWith(' ') || line.startsWith('\t'))
    throw new FramingError('a header is continued on a second line (folded headers are obsolete)');
  const colon = line.indexOf(':');
  if (colon < 0) throw new FramingError('a header line has no colon');
  const name = line.slice(0, colon).toLowerCase();
  if (!NAME.test(name) || name === '__proto__')
    throw new FramingError('the name of a header is empty or has characters that names cannot have');
  const value = withoutBlanks(line, colon + 1);
  if (CONTROL.test(value)) throw new FramingError(`the header ${name} has control characters`);
  if (name === 'transfer-encoding') throw new FramingError('a message has a Transfer-Encoding, which is not understood here');
  const before = headers[name];
  if (before !== undefined && name === 'content-length') throw new FramingError('a message has more than one Content-Length');
  headers[name] = before === undefined ? value : `${before}, ${value}`;
}

function contentLength(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d{1,15}$/.test(value)) throw new FramingError('the Content-Length is not a number of bytes');
  return Number(value);
}

/**
 * The block as text, the empty line included. `length`: the body's, told in a Content-Length unless undefined.
 * @throws TypeError for what a reader would take apart differently: line breaks and other control characters, impossible names, another length.
 */
export function formatHeaderBlock(
  start: string | undefined,
  headers: Readonly<Record<string, string>>,
  body: number,
  announce: boolean,
): string {
  let text = '';
  if (start !== undefined) {
    if (start === '' || CONTROL.test(start) || /^[ \t]/.test(start) || BEGINS_LIKE_HEADER.test(start)) {
      throw new TypeError('a start line is one line, not empty, and does not begin like a header');
    }
    text = `${start}\r\n`;
  }
  let announced = false;
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name) || name === '__proto__') throw new TypeError(`${JSON.stringify(name)} cannot be the name of a header`);
    if (typeof value !== 'string' || CONTROL.test(value)) throw new TypeError(`the header ${name} is not a string of one line`);
    const lower = name.toLowerCase();
    if (lower === 'transfer-encoding') throw new TypeError('headerAndBody() knows no Transfer-Encoding: the body is sent with its length');
    if (lower === 'content-length') {
      if (announced || value !== String(body))
        throw new TypeError(`the Content-Length ${value} is not the body's, which has ${body} bytes`);
      announced = true;
    }
    text += `${name}: ${value}\r\n`;
  }
  if (announce && !announced) text += `Content-Length: ${body}\r\n`;
  return `${text}\r\n`;
}
