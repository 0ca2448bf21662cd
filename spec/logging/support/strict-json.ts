/** Strings, with the colon behind those that are keys, and the ends of objects. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g;

/**
 * Parses JSON in which no object has a key twice: `JSON.parse` takes the last one, other programs the first, or neither.
 * @throws SyntaxError
 */
export function strictJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const objects: Set<string>[] = [];
  for (const [token, colon] of text.matchAll(TOKEN)) {
    if (token === '{') objects.push(new Set());
    else if (token === '}') objects.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const keys = objects.at(-1)!;
      if (keys.has(key)) throw new SyntaxError(`the key ${token} is there twice: ${text.slice(0, 500)}`);
      keys.add(key);
    }
  }
  return value;
}
