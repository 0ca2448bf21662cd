import type { InsideBlueprint } from '../../blueprint/types.js';
import type { Override } from './container.js';

/**
 * Reduces the contents of a worker that a test overrides: nothing listens or dials there, and the providers are only needed where a class,
 * which may inherit the worker's constructor, takes its place.
 */
export function standIn<T extends InsideBlueprint>(inside: T, override: Override | undefined): T {
  if (!override) return inside;
  return { ...inside, connections: [], providers: override.cls ? inside.providers : [] };
}
