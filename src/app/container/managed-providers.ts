import { readProvider } from '../../blueprint/index.js';
import type { ProviderBlueprint } from '../../blueprint/types.js';
import type { AppContainer } from './container.js';
import { ManagedProvider, type ManagedProviderHost } from './managed-provider.js';

/** Everything with hooks that lives as long as the application, in dependency order. */
export class ManagedProviders {
  readonly #container: AppContainer;
  readonly #world: ManagedProviderHost;
  /** In the order in which they started. */
  readonly #all: ManagedProvider[] = [];
  #closing = false;

  constructor(container: AppContainer, world: ManagedProviderHost) {
    this.#container = container;
    this.#world = world;
  }

  /** Builds what runs by itself and starts it, dependencies first. Rejects with what the first failing `@OnStart` throws. */
  async start(): Promise<void> {
    this.#container.buildEager();
    for (const singleton of this.#container.order) {
      if (this.#closing) return;
      if (!singleton.cls) continue;
      const blueprint = readProvider(singleton.cls);
      if (!blueprint.eager) continue;
      await this.add(singleton.get(this.#container.scope, this.#container.order) as object, blueprint).start();
    }
  }

  /** Takes in something that was built elsewhere: a proxy. Starting it is the caller's. */
  add(instance: object, blueprint: ProviderBlueprint): ManagedProvider {
    const resident = new ManagedProvider(instance, blueprint, this.#world);
    this.#all.push(resident);
    return resident;
  }

  /** No more of them start. */
  refuse(): void {
    this.#closing = true;
  }

  /** Stops them in reverse order. Never rejects. */
  async stop(): Promise<void> {
    for (const resident of [...this.#all].reverse()) await resident.stop();
  }
}
