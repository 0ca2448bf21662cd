import 'reflect-metadata';
import { container as globalContainer, type DependencyContainer, type InjectionToken } from 'tsyringe';
import { kindOf, nameOf, readConnection, readProvider, refuse } from '../../blueprint/index.js';
import { classArounds } from '../../blueprint/arounds.js';
import type { AroundFunction } from '../../decorators/around-types.js';
import { OPTIONS_TOKEN, workerTokens } from '../../decorators/injection/injection-tokens.js';
import type { Ctor, ProviderDeclaration, Token } from '../../blueprint/types.js';
import { ConfigurationError, UsageError, type Mistake } from '../../errors.js';
import type { Clock } from '../../clock.js';
import type { Owner } from '../../workers/call/owner.js';
import {
  impossible,
  isToken,
  notToken,
  pathText,
  planClass,
  provideIt,
  tokenText,
  type Absence,
  type Maker,
  type Path,
  type PlanContext,
  type ScopeKind,
} from './build-plan.js';
import { Scope } from './scope.js';
import { secondCopyOf } from './second-copy.js';
import { Singleton } from './singleton.js';
import { delayedClass, isDelayed, isTransformed, type Delayed, type Transformed } from './tsyringe-tokens.js';

/** The framework's own parts in the container of this process. */
export interface FrameworkParts {
  /** Tokens with one value for the whole process: App, Reactor, Workers, Master … */
  readonly constants: ReadonlyMap<Token, () => unknown>;
  /** Tokens of the framework that do not exist in this kind of process, and why. */
  readonly absent: ReadonlyMap<Token, string>;
  /** The token of the connection's own peer. */
  readonly peer: Token;
  /** The token of the logger, and how to bind one. */
  readonly logger: Token;
  bindLogger(bindings: object): unknown;
  /** A worker client for an owner; called at run time. */
  client(worker: Ctor | string, key: string | undefined, owner: Owner, arounds?: readonly AroundFunction[]): unknown;
  /** The owner's face of a channel; undefined when the token is no channel. */
  channel(token: Token): ((scope: Scope) => unknown) | undefined;
  /** The options that the worker was started with; undefined in the master. */
  readonly options: { readonly value: unknown } | undefined;
  /** Tells, of a token that nothing provides in this process, which other process has it. */
  readonly elsewhere?: ((token: Token) => Absence | undefined) | undefined;
}

/** A value for a token that replaces what the application provides (tests). */
export interface Override {
  readonly value?: unknown;
  readonly cls?: Ctor | undefined;
}

interface Registration {
  readonly provider?: { readonly useClass?: unknown };
  readonly options?: { readonly lifecycle?: number };
}

/** Something that exists once per connection. */
interface ScopedProvider {
  /** Finds or makes the scope's own. */
  readonly maker: Maker;
  readonly cls: Ctor | undefined;
}

function servesRequests(cls: Ctor | undefined): boolean {
  return cls !== undefined && kindOf(cls) === 'connection' && readConnection(cls).hooks.request.length > 0;
}

/** The lifecycle that tsyringe's `@singleton()` registers. */
const TSYRINGE_SINGLETON = 1;

/**
 * The application's container: tsyringe holds what users registered there, everything that this application declares is planned here,
 * once, so that a connection costs a handful of closures and no look-up.
 */
export class AppContainer implements PlanContext {
  readonly mistakes: Mistake[] = [];
  /** Tokens that were provided or asked for while plans were made. */
  readonly asked = new Set<Token>();
  /** Code of the application's own (a factory, a class that tsyringe builds) may ask for others while it runs. */
  mayAskForMore = false;
  /** The application's own scope. */
  readonly scope: Scope;
  /** Everything built, dependencies first. */
  readonly order: Singleton[] = [];
  readonly #parts: FrameworkParts;
  readonly #root: DependencyContainer = globalContainer.createChildContainer();
  readonly #singletons = new Map<Token, Singleton>();
  readonly #scoped = new Map<Token, ScopedProvider>();
  readonly #plans = new Map<Token, Maker>();
  /** Mistakes of plans that cannot be carried out: reported again at each later request for one. */
  readonly #faulty = new Map<Token, readonly Mistake[]>();
  readonly #overrides: ReadonlyMap<Token, Override>;
  #slots = 0;
  /** Whether what is being planned needs the connection's owner. */
  #ownerWanted = false;
  readonly #wantOwner = new Set<Token>();
  /** Classes behind `delay()` whose plans are not checked yet, since their dependencies may be being planned; with the path that asked. */
  readonly #delayed: (readonly [Delayed, Path])[] = [];

  constructor(parts: FrameworkParts, owner: Owner, overrides: ReadonlyMap<Token, Override> = new Map()) {
    this.#parts = parts;
    this.#overrides = overrides;
    this.scope = new Scope(owner);
    for (const [token, value] of parts.constants) this.#register(token, value);
    // Classes that tsyringe builds by itself (users registered them there) see clients and options, too.
    for (const [token, { worker, key }] of workerTokens()) this.#register(token, () => parts.client(worker, key, owner));
    if (parts.options) this.#register(OPTIONS_TOKEN, () => parts.options?.value);
  }

  /** Takes the application's providers in; the plans follow in {@link verify}, when all are known. */
  declare(providers: readonly ProviderDeclaration[]): void {
    const seen = new Set<Token>();
    for (const provider of providers) {
      seen.add(provider.token);
      this.asked.add(provider.token);
      if (provider.kind === 'factory') this.mayAskForMore = true;
      if (provider.scope === 'connection' && !this.#overrides.has(provider.token)) this.#declareScoped(provider);
      else this.#declareSingleton(provider);
    }
    for (const [token, override] of this.#overrides) {
      if (!seen.has(token)) this.#declareSingleton({ token, kind: override.cls ? 'class' : 'value', scope: 'app' });
    }
  }

  /** Plans every declared provider, so that all mistakes are known before anything runs. */
  verify(): void {
    for (const [token, singleton] of [...this.#singletons]) if (singleton.cls) this.#planOf(token);
    for (const [token, { cls }] of this.#scoped) if (cls) this.#planOfScoped(token, cls, []);
    this.#verifyDelayed();
  }

  /** Compiles a class that is built per connection. `wantsOwner`: some client or subscription in it belongs to the connection. */
  planConnection(cls: Ctor): { readonly make: Maker; readonly wantsOwner: boolean } {
    this.#ownerWanted = false;
    const make = planClass(cls, 'connection', this, []);
    const wantsOwner = this.#ownerWanted;
    this.#verifyDelayed();
    return { make, wantsOwner };
  }

  /** Compiles a class that is built by the framework in the application's scope: a proxy, a worker. */
  planSingle(cls: Ctor): Maker {
    const make = planClass(cls, 'app', this, []);
    this.#verifyDelayed();
    return make;
  }

  /** Builds everything that runs by itself: hooks, timers, channels. */
  buildEager(): void {
    for (const singleton of [...this.#singletons.values()]) {
      if (singleton.cls && readProvider(singleton.cls).eager) singleton.get(this.scope, this.order);
    }
  }

  /** Resolves a token for `app.get(token)` and factories. */
  get(token: Token): unknown {
    if (!isToken(token)) throw new UsageError(notToken(token));
    return this.#found(token, 'app')(this.scope);
  }

  absence(token: Token): Absence | undefined {
    return secondCopyOf(token) ?? this.#parts.elsewhere?.(token);
  }

  makerOf(token: Token, kind: ScopeKind, path: Path): Maker | undefined {
    const parts = this.#parts;
    this.asked.add(token);
    const singleton = this.#singletons.get(token);
    if (singleton) {
      if (singleton.cls) this.#planOf(token, path);
      return () => singleton.get(this.scope, this.order);
    }
    const scoped = this.#scoped.get(token);
    if (scoped) {
      if (kind === 'connection') {
        if (scoped.cls) this.#planOfScoped(token, scoped.cls, path);
        else this.#ownerWanted = true;
        return scoped.maker;
      }
      return this.#mistake(
        path,
        `${tokenText(token)} exists once per connection, but ${pathText(path)} lives as long as the application`,
        'give the dependant scope: "connection" too, or provide the dependency without a scope',
      );
    }
    if (token === parts.peer) {
      if (servesRequests(path[0])) {
        const remedy = 'what there is to know of the client, @OnRequest is told; what it is to get, stands in the Response';
        return this.#mistake(path, 'a request has no Peer', remedy);
      }
      if (kind === 'connection') return scope => scope.peer;
      return this.#mistake(
        path,
        'a Peer exists once per connection, but the class lives as long as the application',
        'provide the class with scope: "connection", or pass the peer to its methods',
      );
    }
    if (token === parts.logger) return this.#loggerMaker(path, kind);
    const absent = parts.absent.get(token);
    if (absent !== undefined) return this.#mistake(path, `${tokenText(token)} ${absent}`, 'inject it where it exists');
    const constant = parts.constants.get(token);
    if (constant) return constant;
    const channel = parts.channel(token);
    if (channel) return this.#slotted(channel, kind);
    if (isTransformed(token)) return this.#transformedMaker(token, kind, path);
    if (isDelayed(token)) {
      if (path.length > 0) this.#delayed.push([token, path]);
      return () => token.createProxy(cls => this.get(cls));
    }
    return this.#registered(token, path);
  }

  /** The reference itself was checked with the blueprint. */
  workerMaker(worker: Ctor | string, key: string | undefined, owner: 'app' | undefined, kind: ScopeKind, cls: Ctor): Maker {
    const parts = this.#parts;
    if (owner !== 'app') this.#ownerWanted = true;
    const arounds = classArounds(cls);
    return this.#slotted(scope => parts.client(worker, key, owner === 'app' ? this.scope.owner : scope.owner, arounds), kind);
  }

  optionsMaker(): Maker {
    const { options } = this.#parts;
    return options ? () => options.value : impossible;
  }

  allMaker(token: Token, kind: ScopeKind, path: Path): Maker | undefined {
    const key = token as InjectionToken<unknown>;
    if (this.#root.isRegistered(key, true)) return () => this.#root.resolveAll(key);
    const make = this.makerOf(token, kind, path);
    return make && (scope => [make(scope)]);
  }

  async dispose(failed: (error: unknown) => void, clock?: Clock): Promise<void> {
    await this.scope.dispose(failed, clock);
  }

  /** tsyringe resolves it to the same value: classes that tsyringe builds see what ours see. */
  #register(token: Token, value: () => unknown): void {
    this.#root.register(token as InjectionToken<unknown>, { useFactory: value });
  }

  #slotted(make: Maker, kind: ScopeKind): Maker {
    if (kind === 'app') return make;
    const slot = this.#slots++;
    return scope => (scope.slots[slot] ??= make(scope));
  }

  #loggerMaker(path: Path, kind: ScopeKind): Maker {
    const name = path.length === 0 ? 'app' : nameOf(path[path.length - 1]!);
    const { bindLogger } = this.#parts;
    if (kind === 'app') return () => bindLogger({ handler: name });
    // A factory asks for it, not a class.
    const handler = path.length === 0 ? {} : { handler: nameOf(path[0]) };
    return this.#slotted(scope => bindLogger({ ...handler, connection: (scope.peer as { id: string }).id }), kind);
  }

  /** Checks that delayed classes can be built when they are first used. Once per application. */
  #verifyDelayed(): void {
    for (let delayed = this.#delayed.shift(); delayed; delayed = this.#delayed.shift()) {
      const [token, path] = delayed;
      const cls = delayedClass(token);
      if (this.#scoped.has(cls))
        this.#mistake(
          path,
          `${tokenText(cls)} exists once per connection, and delay() finds what exists once`,
          'inject it without delay()',
        );
      else if (!this.makerOf(cls, 'app', [])) this.#mistake(path, `nothing provides ${tokenText(cls)}`, provideIt(cls));
    }
  }

  #transformedMaker({ token, multiple, transform, transformArgs = [] }: Transformed, kind: ScopeKind, path: Path): Maker {
    const found = multiple === true ? this.allMaker(token, kind, path) : this.makerOf(token, kind, path);
    const make = found ?? this.#mistake(path, `nothing provides ${tokenText(token)}`, provideIt(token));
    return scope => this.#root.resolve(transform).transform(make(scope), ...transformArgs);
  }

  #declareScoped(provider: ProviderDeclaration): void {
    const { token, cls, factory } = provider;
    const slot = this.#slots++;
    const found = new Map<Token, Maker>();
    const build: Maker = cls
      ? scope => this.#planOfScoped(token, cls, [])(scope)
      : scope => factory!({ resolve: wanted => this.#foundOnce(found, wanted)(scope) });
    const maker: Maker = scope => {
      const existing = scope.slots[slot];
      if (existing !== undefined) return existing;
      const value = build(scope);
      scope.slots[slot] = value;
      scope.keep(value);
      return value;
    };
    this.#scoped.set(token, { maker, cls });
  }

  #declareSingleton(provider: ProviderDeclaration): void {
    const { token } = provider;
    const override = this.#overrides.get(token);
    const cls = override ? override.cls : provider.cls;
    const make = this.#singletonMaker(provider, override, cls);
    const singleton = new Singleton(token, cls, make);
    this.#singletons.set(token, singleton);
    this.#register(token, () => singleton.get(this.scope, this.order));
  }

  #singletonMaker(provider: ProviderDeclaration, override: Override | undefined, cls: Ctor | undefined): Maker {
    if (override && !cls) return () => override.value;
    if (cls) {
      return scope => {
        const value = this.#planOf(provider.token)(scope);
        scope.keep(value);
        return value;
      };
    }
    if (provider.kind === 'value') return () => provider.value;
    return scope => {
      const value = provider.factory!({ resolve: token => this.get(token) });
      scope.keep(value);
      return value;
    };
  }

  /** The plan of a singleton's class, compiled once; `path` finds circles through singletons. */
  #planOf(token: Token, path: Path = []): Maker {
    return this.#planOnce(token, this.#singletons.get(token)!.cls!, 'app', path);
  }

  #planOfScoped(token: Token, cls: Ctor, path: Path): Maker {
    const before = this.#ownerWanted;
    this.#ownerWanted = false;
    const plan = this.#planOnce(token, cls, 'connection', path);
    if (this.#ownerWanted) this.#wantOwner.add(token);
    this.#ownerWanted = before || this.#wantOwner.has(token);
    return plan;
  }

  #planOnce(token: Token, cls: Ctor, kind: ScopeKind, path: Path): Maker {
    const known = this.#plans.get(token);
    if (known && !path.includes(cls)) {
      for (const mistake of this.#faulty.get(token) ?? []) if (!this.mistakes.includes(mistake)) this.mistakes.push(mistake);
      return known;
    }
    const before = this.mistakes.length;
    const plan = planClass(cls, kind, this, path);
    this.#plans.set(token, plan);
    if (this.mistakes.length > before) this.#faulty.set(token, this.mistakes.slice(before));
    return plan;
  }

  /** The maker of a token that is asked for while the application runs: planned at that moment. */
  #found(token: Token, kind: ScopeKind): Maker {
    const before = this.mistakes.length;
    const maker = this.makerOf(token, kind, []);
    refuse(this.mistakes.splice(before));
    if (maker) return maker;
    throw new ConfigurationError([{ where: tokenText(token), wrong: 'nothing provides it', remedy: provideIt(token) }]);
  }

  /** The maker for a factory that is called for each connection: one per token, because each plan takes a slot. */
  #foundOnce(found: Map<Token, Maker>, token: Token): Maker {
    let maker = found.get(token);
    if (!maker) found.set(token, (maker = this.#found(token, 'connection')));
    return maker;
  }

  /** The maker of a token that users registered with tsyringe itself. */
  #registered(token: Token, path: Path): Maker | undefined {
    const key = token as InjectionToken<unknown>;
    if (!this.#root.isRegistered(key, true)) return undefined;
    // A class with tsyringe's @singleton() lives in the global container; here it is one per application, like a provider.
    const registration = (this.#root as unknown as { getRegistration?(token: unknown): Registration | null }).getRegistration?.(token);
    if (
      typeof token === 'function' &&
      registration?.provider?.useClass === token &&
      registration?.options?.lifecycle === TSYRINGE_SINGLETON
    ) {
      this.#declareSingleton({ token, kind: 'class', cls: token as Ctor, scope: 'app' });
      return this.makerOf(token, 'app', path);
    }
    this.mayAskForMore = true;
    return () => this.#root.resolve(key);
  }

  #mistake(path: Path, wrong: string, remedy: string): Maker {
    this.mistakes.push({ where: path.length === 0 ? 'app' : nameOf(path[path.length - 1]!), wrong, remedy });
    return impossible;
  }
}
