import { PlainAnswer, textAnswer } from '../plain-answer.js';

/** The methods of a path as `Allow` tells them: HEAD comes with GET, and OPTIONS with all. */
export function allowOf(methods: Iterable<string>): string {
  const all = new Set(methods);
  if (all.has('GET')) all.add('HEAD');
  return [...all.add('OPTIONS')].toSorted().join(', ');
}

/** The answer to a request that no route answers: 404 for an unknown path, else 405; OPTIONS is told the methods. */
export function unrouted(method: string, methods: ReadonlySet<string>): PlainAnswer {
  if (methods.size === 0) return textAnswer(404, 'not found');
  const allow = allowOf(methods);
  if (method === 'OPTIONS') return new PlainAnswer(204, { allow });
  return textAnswer(405, `this is not answered to ${method}, but to ${allow}`, { allow });
}
