import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Fields whose values are joined; of every other one the last that is written counts. */
const JOINED = ['vary', 'set-cookie'] as const;

type Given = OutgoingHttpHeaders | readonly unknown[];

/** Takes the values of a field out of what `writeHead()` was given. */
function taken(name: string, given: Given): string[] {
  const values: string[] = [];
  const add = (value: unknown): void => void values.push(...(Array.isArray(value) ? value : [value]).map(String));
  if (Array.isArray(given)) {
    for (let i = given.length - 2; i >= 0; i -= 2) {
      if (String(given[i]).toLowerCase() !== name) continue;
      add(given[i + 1]);
      given.splice(i, 2);
    }
    return values;
  }
  const fields = given as OutgoingHttpHeaders;
  for (const key of Object.keys(fields)) {
    if (key.toLowerCase() !== name) continue;
    add(fields[key]);
    delete fields[key];
  }
  return values;
}

function join(response: ServerResponse, name: (typeof JOINED)[number], values: readonly string[]): void {
  const before = [response.getHeader(name)].flat().map(String);
  if (name === 'set-cookie') {
    response.setHeader(name, [...before, ...values]);
    return;
  }
  const words = [...before, ...values].flatMap(value => value.split(',')).map(word => word.trim());
  const distinct = new Map(words.map(word => [word.toLowerCase(), word]));
  response.setHeader(name, distinct.has('*') ? '*' : [...distinct.values()].join(', '));
}

const MERGES = Symbol('joins fields');

/**
 * Keeps `Vary` and `Set-Cookie` that were set on a response before its head is written: Node would replace them by those that
 * `writeHead()` is given. Done once for each response that needs it.
 */
export function keepFields(response: ServerResponse & { [MERGES]?: true }): void {
  if (response[MERGES]) return;
  response[MERGES] = true;
  const { writeHead } = response;
  const write = writeHead.bind(response) as (...parts: unknown[]) => ServerResponse;
  response.writeHead = (...parts: unknown[]) => {
    const given = parts.at(-1);
    if (typeof given !== 'object' || given === null) return write(...parts);
    // A list of pairs, or of names and values in turn: a value may be a list, too.
    const copy: Given = !Array.isArray(given)
      ? { ...given }
      : Array.isArray(given[0])
        ? (given as unknown[]).flat()
        : [...(given as unknown[])];
    for (const name of JOINED) {
      if (!response.hasHeader(name)) continue;
      const values = taken(name, copy);
      if (values.length > 0) join(response, name, values);
    }
    return write(...parts.slice(0, -1), copy);
  };
}
