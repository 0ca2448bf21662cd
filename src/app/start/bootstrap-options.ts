import {
  checkOptions,
  duration,
  either,
  flag,
  nameOf,
  off,
  oneOf,
  reporter,
  size,
  type ApplicationReading,
  type Rule,
  type Rules,
} from '../../blueprint/index.js';
import type { Mistake } from '../../errors.js';
import { isLogger, LOGGER_METHODS } from '../../logger.js';
import { object, text } from '../../option-rules.js';
import { isMesh, placementMistakes } from '../mesh/mesh-mistakes.js';

/** The page's url: host and port, no path. */
const HTTP_ENDPOINT = /^https?:\/\/[^/?#]*:\d{1,5}\/?$/i;

const logger: Rule = { expects: `a logger with ${LOGGER_METHODS.join('(), ')}(), as pino() is; console is none`, fits: isLogger };

/** Mistakes of the logger that was given to `where`. */
export function loggerMistakes(where: string, value: unknown): readonly Mistake[] {
  if (value === undefined || value === false || isLogger(value)) return [];
  return [{ where, wrong: 'logger is not one', remedy: `expected ${logger.expects}, or false` }];
}

const admin: Rule = {
  expects: 'true, false or { listen?, authorize? }: an http: endpoint without a path, and a function',
  fits: value => {
    if (typeof value === 'boolean') return true;
    if (typeof value !== 'object' || value === null || Object.keys(value).some(key => key !== 'listen' && key !== 'authorize'))
      return false;
    const { listen, authorize } = value as { listen?: unknown; authorize?: unknown };
    const url: unknown = typeof listen === 'object' && listen !== null ? (listen as { url?: unknown }).url : listen;
    if (url !== undefined && !(typeof url === 'string' && HTTP_ENDPOINT.test(url))) return false;
    return authorize === undefined || typeof authorize === 'function';
  },
};

const RULES: Rules = {
  name: text,
  listen: { expects: 'a Map of classes to endpoints', fits: value => value instanceof Map },
  logger: either(logger, off),
  signals: flag,
  closeTimeout: duration,
  shutdownDelay: duration,
  maxBufferedBytesTotal: size,
  uncaught: oneOf('close', 'log'),
  mesh: { expects: 'a mesh: nats({ servers }) of packet-ts/nats, or memoryMesh() of packet-ts/testing', fits: isMesh },
  placement: object,
  zone: text,
  admin,
};

/** Places for which a connection's endpoints may be replaced. */
function served({ app }: ApplicationReading): ReadonlySet<unknown> {
  const inside = [...app.inside.values()].flatMap(({ connections }) => connections);
  return new Set([...app.connections, ...inside].map(({ cls }): unknown => cls).concat(app.mounted));
}

/** Mistakes in the options of `bootstrap()`. */
export function optionMistakes(options: object, reading: ApplicationReading): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const report = reporter('bootstrap()', mistakes);
  const { listen } = checkOptions(options, RULES, undefined, report);
  const known = served(reading);
  for (const key of (listen as ReadonlyMap<unknown, unknown> | undefined)?.keys() ?? []) {
    if (!known.has(key))
      report('listen', `it names ${nameOf(key)}, which this application does not serve`, 'list it in `connections` of a module');
  }
  return [...mistakes, ...placementMistakes(options, reading)];
}
