import fc from 'fast-check';
import { FramingError, type Framing } from '../../src/framing/index.js';

/** The bytes of one encoded message. */
export function encoded<Out>(framing: Pick<Framing<unknown, Out>, 'encode'>, message: Out): Buffer {
  const chunks = framing.encode(message);
  const list = typeof chunks === 'string' || chunks instanceof Uint8Array ? [chunks] : chunks;
  return Buffer.concat(list.map(chunk => Buffer.from(chunk as Uint8Array)));
}

/** All messages of a stream that came in these chunks, with the last one at its end. */
export function decoded<In>(framing: Framing<In, never>, chunks: readonly (Buffer | string)[], limit = Infinity): In[] {
  const decoder = framing.decoder(limit);
  const messages: In[] = [];
  for (const chunk of chunks) {
    decoder.push(Buffer.from(chunk as Uint8Array));
    for (let message = decoder.next(); message !== undefined; message = decoder.next()) messages.push(message);
  }
  const last = decoder.end?.();
  if (last !== undefined) messages.push(last);
  return messages;
}

/** Bytes cut at any places. */
function cutting(bytes: Buffer): fc.Arbitrary<Buffer[]> {
  return fc.array(fc.nat(bytes.length), { maxLength: 20 }).map(places => {
    const edges = [0, ...places.sort((a, b) => a - b), bytes.length];
    return edges.slice(1).map((edge, i) => Buffer.from(bytes.subarray(edges[i], edge)));
  });
}

/** Whatever is sent arrives as it was, wherever the network cuts it. */
export function survivesAnyCut<M>(
  framing: Framing<M>,
  message: fc.Arbitrary<M>,
  same: (actual: readonly M[], expected: readonly M[]) => unknown,
): void {
  const streams = fc.array(message, { maxLength: 8 }).chain(messages => {
    const bytes = Buffer.concat(messages.map(each => encoded(framing, each)));
    return fc.record({ messages: fc.constant(messages), chunks: cutting(bytes) });
  });
  fc.assert(
    fc.property(streams, ({ messages, chunks }) => {
      same(decoded(framing, chunks), messages);
    }),
    { numRuns: 200 },
  );
}

/** Whatever a peer sends, nothing but a FramingError comes of it, and its cut makes no difference. */
export function survivesAnyBytes(framing: Framing<unknown, never>, like: readonly string[] = []): void {
  const bytes = fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 20 }),
        fc.constantFrom('', ...like).map(text => Buffer.from(text, 'latin1')),
      ),
      { maxLength: 10 },
    )
    .map(parts => Buffer.concat(parts));
  const outcome = (chunks: readonly Buffer[]): string => {
    try {
      return `gave ${decoded(framing, chunks, 128).length}`;
    } catch (error) {
      if (error instanceof FramingError) return 'refused';
      throw error;
    }
  };
  fc.assert(
    fc.property(
      bytes.chain(all => fc.record({ all: fc.constant(all), chunks: cutting(all) })),
      ({ all, chunks }) => outcome([all]) === outcome(chunks),
    ),
    { numRuns: 500 },
  );
}
