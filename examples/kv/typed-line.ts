import { type ByteQueue, FramingError } from 'packet-ts/framing';

const NEWLINE = Buffer.from('\n');
const LONGEST = 64 * 1024;

/** The words of the first line; none of an empty one. Undefined: it has not come whole. Throws FramingError beyond the limit. */
export function typedLine(queue: ByteQueue, limit: number): Buffer[] | undefined {
  const end = queue.find(NEWLINE);
  if ((end < 0 ? queue.length : end) > Math.min(limit, LONGEST)) {
    throw new FramingError('a line without an end', { code: 'ERR_PACKET_FRAMING_TOO_LARGE' });
  }
  if (end < 0) return undefined;
  const words = queue.text(end, 'utf8').split(/\s+/);
  queue.skip(1);
  return words.filter(word => word !== '').map(word => Buffer.from(word));
}
