import { refuse } from '../blueprint/index.js';
import type { ConnectionBlueprint } from '../blueprint/types.js';
import type { Clock } from '../clock.js';
import { publish } from '../diagnostics.js';
import type { Build } from '../session/handler/handler-types.js';
import { Owner } from '../workers/call/owner.js';
import type { AppContainer } from './container/container.js';
import { Scope } from './container/scope.js';
import { asError } from '../errors.js';

/** Owns nothing: for connections that make no calls. */
const NO_OWNER = new Owner('connection', 'none');

/**
 * Compiles how the container makes the handlers of one connection class.
 * @throws ConfigurationError for what it cannot make: a class that no module lists is planned here first.
 */
export function connectionBuild(container: AppContainer, blueprint: ConnectionBlueprint, clock: Clock, app: string): Build {
  const { mistakes } = container;
  const before = mistakes.length;
  const { make, wantsOwner } = container.planConnection(blueprint.cls);
  refuse(mistakes.splice(before));
  const failed = (error: unknown): void => publish('hook.error', { app, handler: blueprint.name, hook: 'dispose', error: asError(error) });
  const build: Build = (peer, owner) => {
    const scope = new Scope(owner ?? NO_OWNER, peer);
    let instance: object;
    try {
      instance = make(scope) as object;
    } catch (error) {
      // The objects made before the constructor threw have no owner any more.
      if (scope.disposable) void scope.dispose(failed, clock);
      throw error;
    }
    return scope.disposable ? { instance, dispose: () => scope.dispose(failed, clock) } : { instance };
  };
  return Object.assign(build, { wantsOwner });
}
