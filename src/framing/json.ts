import { FramingError } from '../errors.js';
import { jsonText } from '../json-text.js';
import type { Decoder, Framing } from './framing.js';
import { LineDecoder, lineEnd } from './decoding/line-decoder.js';
import { excessOf, mostParts, poisonous } from './decoding/json-guard.js';
import { wholeOf } from './whole.js';

const LINE_END = lineEnd('\n', 'utf8');

class JsonDecoder<In> implements Decoder<In> {
  readonly #lines: LineDecoder;
  readonly #mostParts: number;

  constructor(limit: number) {
    this.#mostParts = mostParts(limit);
    this.#lines = new LineDecoder(limit, LINE_END);
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  next(): In | undefined {
    for (;;) {
      const line = this.#lines.next();
      if (line === undefined) return undefined;
      if (line !== '') return parse<In>(line, this.#mostParts);
    }
  }

  end(): In | undefined {
    const line = this.#lines.end();
    return line === undefined || line === '' || line === '\r' ? undefined : parse<In>(line, this.#mostParts);
  }

  get pending(): number {
    return this.#lines.pending;
  }

  rest(): Buffer {
    return this.#lines.rest();
  }
}

/** Does not check the parsed value: In is what the peer promises, and a schema at `@OnData` holds it to that. */
function parse<In>(text: string, most: number): In {
  const excess = excessOf(text, most);
  if (excess !== undefined) throw new FramingError(`a JSON document is ${excess}`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new FramingError('a line is not a JSON document', { cause });
  }
  if (poisonous(text, document)) throw new FramingError('a JSON document has the key __proto__ or constructor.prototype');
  return document as In;
}

function stringify(message: unknown): string {
  return jsonText(message, what => new TypeError(`json() cannot encode ${what}`));
}

/**
 * A JSON document a line; empty lines are passed over. Documents are single lines because JSON escapes line breaks in strings.
 *
 * A line that is no JSON is a FramingError and ends the connection (`@OnError` may have the last word): a peer that cannot frame its
 * documents cannot be trusted about where the next one begins. A server that would rather answer and go on reads `lines()`
 * with a schema that parses, and gets a BoundaryError. Refused likewise are documents deeper than 100 levels, those with the keys
 * `__proto__` or `constructor.prototype`, which poison prototypes when merged, and those with more than 100 000 objects, arrays and keys
 * (or one for 16 bytes of `maxMessageSize`, where that is more), which would hold the event loop for long.
 *
 * In and Out are promises of the two sides: check In with a schema, `@OnData(schema)`.
 * @example
 * @Connection({ listen: 'tcp://127.0.0.1:7000', framing: json<Question, Answer>() })
 */
export function json<In = unknown, Out = In>(): Framing<In, Out> {
  const stream = {
    decoder: (limit: number) => new JsonDecoder<In>(limit),
    encode: (message: Out) => `${stringify(message)}\n`,
    symmetric: true as const,
  };
  return { ...stream, whole: wholeOf(stream, stringify) };
}
