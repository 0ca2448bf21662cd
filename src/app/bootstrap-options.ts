import {
  checkOptions,
  duration,
  either,
  flag,
  nameOf,
  object,
  off,
  oneOf,
  reporter,
  size,
  type ApplicationReading,
  type Rules,
} from '../blueprint/index.js';
import type { Mistake } from '../errors.js';

const RULES: Rules = {
  listen: { expects: 'a Map of classes to endpoints', fits: value => value instanceof Map },
  logger: either(object, off),
  signals: flag,
  closeTimeout: duration,
  maxBufferedBytesTotal: size,
  uncaught: oneOf('close', 'log'),
};

/** Places for which a connection's endpoints may be replaced. */
function served({ app }: ApplicationReading): ReadonlySet<unknown> {
  const inside = [...app.inside.values()].flatMap(({ connections }) => connections);
  return new Set([...app.connections, ...inside].map(({ cls }): unknown => cls).concat(app.mounted));
}

/** What is wrong with the options of `bootstrap()`. */
export function optionMistakes(options: object, reading: ApplicationReading): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const report = reporter('bootstrap()', mistakes);
  const { listen } = checkOptions(options as Readonly<Record<string, unknown>>, RULES, undefined, report);
  const known = served(reading);
  for (const key of (listen as ReadonlyMap<unknown, unknown> | undefined)?.keys() ?? []) {
    if (!known.has(key))
      report('listen', `it names ${nameOf(key)}, which this application does not serve`, 'list it in `connections` of a module');
  }
  return mistakes;
}
