import { delimited, FramingError, type Framing } from 'packet-ts/framing';

const END = Buffer.from([0xc0]);

/** SLIP (RFC 1055): packets between 0xC0 bytes; 0xC0 and 0xDB inside of them are written as two bytes. */
export function slip(): Framing<Buffer> {
  const frames = delimited(END);
  return {
    decoder(limit) {
      const inner = frames.decoder(limit);
      return {
        push: chunk => inner.push(chunk),
        next() {
          for (;;) {
            const frame = inner.next();
            // Nothing lies between the end of one packet and the beginning of the next.
            if (frame === undefined || frame.length > 0) return frame && unescape(frame);
          }
        },
        rest: () => inner.rest(),
      };
    },
    encode: packet => [END, escape(packet), END],
    symmetric: true,
  };
}

function escape(packet: Buffer): Buffer {
  return Buffer.from(packet.toString('latin1').replaceAll('\xdb', '\xdb\xdd').replaceAll('\xc0', '\xdb\xdc'), 'latin1');
}

function unescape(frame: Buffer): Buffer {
  const text = frame.toString('latin1').replaceAll(/\xdb([^]?)/g, (_, escaped: string) => {
    if (escaped === '\xdc') return '\xc0';
    if (escaped === '\xdd') return '\xdb';
    throw new FramingError('a SLIP packet has an escape that means nothing');
  });
  return Buffer.from(text, 'latin1');
}
