import { nameOf } from '../blueprint/index.js';
import { ownDeclarations } from '../decorators/metadata.js';
import type { Ctor } from '../decorators/ctor.js';
import { UsageError } from '../errors.js';

function isModuleClass(value: unknown): value is Ctor {
  return typeof value === 'function' && ownDeclarations(value as Ctor).classes.some(({ kind }) => kind === 'module');
}

/**
 * The module class that a file exports: the one that was named, the default export, or the only one.
 * @throws UsageError when there is none, or several and nothing says which.
 */
export function moduleClassOf(exports: Readonly<Record<string, unknown>>, file: string, wanted: string | undefined): Ctor {
  const found = Object.entries(exports).filter((entry): entry is [string, Ctor] => isModuleClass(entry[1]));
  if (wanted !== undefined) {
    const named = found.find(([name]) => name === wanted)?.[1];
    if (named) return named;
    throw new UsageError(
      `${file} exports no @Module class named ${wanted}${found.length === 0 ? '' : `, but ${found.map(([name]) => name).join(', ')}`}`,
    );
  }
  const distinct = new Set(found.map(([, cls]) => cls));
  const main = found.find(([name]) => name === 'default')?.[1] ?? (distinct.size === 1 ? found[0]![1] : undefined);
  if (main) return main;
  if (distinct.size > 1)
    throw new UsageError(`${file} exports several modules: say which with --export ${[...distinct].map(nameOf).join(' or --export ')}`);
  throw new UsageError(`${file} neither exports a class decorated with @Module nor calls bootstrap()`);
}
