import { nameOf, readModule, type ApplicationReading } from '../blueprint/index.js';
import type { Ctor } from '../decorators/ctor.js';
import { ConfigurationError, type Mistake } from '../errors.js';
import { silentLogger } from '../logger.js';
import type { BootstrapOptions } from './start/bootstrap-types.js';
import { optionMistakes } from './start/bootstrap-options.js';
import { masterSide } from './master-side.js';

/** Everything that a module declares, with the mistakes in it and in the options of `bootstrap()`. */
export async function readApplication(
  module: Ctor,
  options: BootstrapOptions,
): Promise<{ readonly reading: ApplicationReading; readonly flaws: readonly Mistake[] }> {
  // The master's side registers the runtimes that workers are read for.
  await masterSide();
  const { listen } = options;
  const { app, mistakes } = await readModule(module, { listen: listen instanceof Map ? listen : undefined });
  const flaws = optionMistakes(options, { app, mistakes });
  return { reading: { app, mistakes: [...mistakes, ...flaws] }, flaws };
}

/** Every mistake that `bootstrap()` would refuse to start with; nothing is started, bound or dialled. */
export async function checkApplication(module: Ctor, options: BootstrapOptions = {}): Promise<readonly Mistake[]> {
  const { reading } = await readApplication(module, options);
  const { Assembly } = await masterSide();
  try {
    await Assembly.of(reading, { name: nameOf(module), logger: silentLogger }).close(0);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
}
