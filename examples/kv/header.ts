import { type ByteQueue, FramingError } from 'packet-ts/framing';

const LF = 0x0a;
/** A sign, 15 digits, a carriage return. */
const LONGEST = 17;

/** `*2\r\n` or `$5\r\n` at a position: the number, and where its line ends. Undefined: it has not come whole. Nothing is taken out. */
export function header(queue: ByteQueue, sign: '*' | '$', position: number): { readonly number: number; readonly end: number } | undefined {
  let text = '';
  for (let at = position; at < queue.length && text.length <= LONGEST; at++) {
    const byte = queue.at(at);
    if (byte === LF) return { number: parse(text, sign), end: at + 1 };
    text += String.fromCharCode(byte);
  }
  if (text.length > LONGEST || (text !== '' && text[0] !== sign)) throw unreadable(text, sign);
  return undefined;
}

function parse(text: string, sign: string): number {
  if (text[0] !== sign || !/^.\d+\r$/.test(text)) throw unreadable(text, sign);
  return Number(text.slice(1, -1));
}

function unreadable(text: string, sign: string): FramingError {
  return new FramingError(`'${sign}' and a number were expected, and ${JSON.stringify(text)} came`);
}
