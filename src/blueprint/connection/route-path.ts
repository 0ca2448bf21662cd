import { show } from '../../option-rules.js';
import { normalPath } from '../../endpoints/normal-path.js';
import type { RouteBlueprint, RouteSegment } from './route-types.js';

const NAME = /^[a-z_$][\w$]*$/i;

/** A path that cannot be one, and what to write. */
export interface PathMistake {
  readonly wrong: string;
  readonly remedy: string;
}

function segmentOf(text: string, isLast: boolean): RouteSegment | PathMistake {
  if (text.startsWith(':')) {
    const name = text.slice(1);
    if (NAME.test(name) && name !== '__proto__') return { kind: 'param', name };
    return { wrong: `':${name}' is no parameter`, remedy: "a parameter is a whole segment and a name: '/orders/:id'" };
  }
  if (text === '*' && isLast) return { kind: 'rest' };
  if (text.includes('*')) return { wrong: `'*' stands in '${text}'`, remedy: "'*' is the last segment: '/files/*'" };
  if (/[?#{}\\]/.test(text))
    return { wrong: `'${text}' is no segment of a path`, remedy: "write text and parameters alone: '/orders/:id'" };
  if (/^(?:\.|%2e){1,2}$/i.test(text)) return { wrong: `'${text}' names another path`, remedy: 'write the path that is meant' };
  const normal = normalPath(`/${text}`);
  if (normal === undefined) return { wrong: "it has a '%' that two hexadecimal digits do not follow", remedy: "write '%25'" };
  return { kind: 'text', text: normal.slice(1) };
}

/** Reads a route's path, `/orders/:id` or `/files/*`. */
export function parseRoutePath(path: unknown): readonly RouteSegment[] | PathMistake {
  if (typeof path !== 'string' || !path.startsWith('/'))
    return { wrong: `its path is ${show(path)}`, remedy: "begin it with '/': '/orders/:id'" };
  if (path.includes('//')) return { wrong: `its path '${path}' has an empty segment`, remedy: "write one '/'" };
  const texts = path.slice(1).split('/');
  const segments: RouteSegment[] = [];
  const names = new Set<string>();
  for (const [at, text] of texts.entries()) {
    const segment = segmentOf(text, at === texts.length - 1);
    if ('wrong' in segment) return { wrong: `its path '${path}' cannot be matched: ${segment.wrong}`, remedy: segment.remedy };
    if (segment.kind === 'param') {
      if (names.has(segment.name)) return { wrong: `its path '${path}' has two parameters '${segment.name}'`, remedy: 'name them apart' };
      names.add(segment.name);
    }
    segments.push(segment);
  }
  return segments;
}

/** The names of a path's parameters; that of the rest is '*'. */
export function paramNames(segments: readonly RouteSegment[]): readonly string[] {
  return segments.flatMap(segment => (segment.kind === 'param' ? [segment.name] : segment.kind === 'rest' ? ['*'] : []));
}

/** Identifies the requests that a route answers: the same text for all routes that match the same requests. */
export function routeKey({ method, segments }: Pick<RouteBlueprint, 'method' | 'segments'>): string {
  const path = segments.map(segment => (segment.kind === 'text' ? segment.text : segment.kind === 'param' ? ':' : '*'));
  return `${method} /${path.join('/')}`;
}
