import { FramingError } from '../errors.js';
import type { Decoder, Framing } from './framing.js';
import { LineDecoder, lineEnd } from './decoding/line-decoder.js';
import { deeperThan, poisonous } from './decoding/json-guard.js';
import { wholeOf } from './whole.js';

/** As in structured values: deeper ones would overflow the stack of code that walks them. */
const MAX_DEPTH = 100;
const LINE_END = lineEnd('\n', 'utf8');

class JsonDecoder<In> implements Decoder<In> {
  readonly #lines: LineDecoder;

  constructor(limit: number) {
    this.#lines = new LineDecoder(limit, LINE_END);
  }

  push(chunk: Buffer): void {
    this.#lines.push(chunk);
  }

  next(): In | undefined {
    for (;;) {
      const line = this.#lines.next();
      if (line === undefined) return undefined;
      if (line !== '') return parse<In>(line);
    }
  }

  end(): In | undefined {
    const line = this.#lines.end();
    return line === undefined || line === '' || line === '\r' ? undefined : parse<In>(line);
  }

  get pending(): number {
    return this.#lines.pending;
  }

  rest(): Buffer {
    return this.#lines.rest();
  }
}

/** Does not check the parsed value: In is what the peer promises, and a schema at `@OnData` holds it to that. */
function parse<In>(text: string): In {
  if (deeperThan(text, MAX_DEPTH)) throw new FramingError(`a JSON document is nested deeper than ${MAX_DEPTH} levels`);
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
  const text: string | undefined = JSON.stringify(message);
  if (text === undefined) throw new TypeError(`json() cannot encode ${typeof message}`);
  return text;
}

/**
 * A JSON document a line; empty lines are passed over. Documents are single lines because JSON escapes line breaks in strings.
 *
 * A line that is no JSON is a FramingError and ends the connection (`@OnError` may have the last word): a peer that cannot frame its
 * documents cannot be trusted about where the next one begins. A server that would rather answer and go on reads `lines()`
 * with a schema that parses, and gets a BoundaryError. Documents deeper than 100 levels and those with the keys `__proto__` or
 * `constructor.prototype`, which poison prototypes when merged, are refused likewise.
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
