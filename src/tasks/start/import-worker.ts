import { typescriptRemedy } from '../../decorators/worker/typescript-source.js';
import { ConfigurationError } from '../../errors.js';
import type { BootMessage } from '../../wire/link/protocol.js';

/**
 * Imports the module that declares a worker, and finds what it declared.
 *
 * A module that runs the application's own `bootstrap()` (a bundle) never finishes: `reached` resolves when that happens, and by then
 * every class above it has been declared.
 * @throws what the module throws; ConfigurationError when it declares no such worker, or is TypeScript and nothing here reads that
 */
export async function importWorker<T>(
  { name, source }: BootMessage,
  find: (name: string) => T | undefined,
  reached: Promise<unknown>,
): Promise<T> {
  const declared = find(name);
  if (declared !== undefined) return declared;
  await Promise.race([importModule(name, source), reached]);
  const found = find(name);
  if (found !== undefined) return found;
  throw new ConfigurationError([
    {
      where: `worker "${name}"`,
      wrong: `${source} was imported in its process, and no class with @Worker('${name}') was declared by that`,
      remedy: `declare the class at the top level of a module, not inside a function, or name the module that does: @Worker('${name}', { source: import.meta.url })`,
    },
  ]);
}

async function importModule(name: string, source: string): Promise<unknown> {
  try {
    return await import(source);
  } catch (error) {
    const remedy = typescriptRemedy(source, error);
    if (remedy === undefined) throw error;
    throw new ConfigurationError([{ where: `worker "${name}"`, wrong: `${source} is TypeScript that its process cannot run`, remedy }], {
      cause: error,
    });
  }
}
