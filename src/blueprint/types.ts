/**
 * The decorators' declarations, read once and checked: plain data that every floor above works from.
 * Durations are milliseconds, sizes bytes, 0 means "off"; `undefined` means "not said" where a default is filled in elsewhere.
 */
import type { AroundFunction } from '../decorators/around-types.js';
import type { Ctor } from '../decorators/ctor.js';
import type { MountedPart } from '../decorators/injection/provider-types.js';
import type { Framing } from '../framing/framing.js';
import type { HostSettings } from '../hosts/host.js';
import type { Runtime } from '../hosts/runtimes.js';
import type { Validator } from '../schema.js';
import type { Guards } from './connection/guard-types.js';
import type { RouteBlueprint } from './connection/route-types.js';

export type { Ctor, MountedPart };
/** Something the container can resolve: what tsyringe takes. */
export type Token = string | symbol | Ctor | object;

/** Functions that stand around what a class does, the outermost first. */
export interface Arounds {
  readonly cls: readonly AroundFunction[];
  readonly methods: ReadonlyMap<PropertyKey, readonly AroundFunction[]>;
}

/** A method that a timer calls. */
export interface TimerBlueprint {
  readonly kind: 'every' | 'after';
  /** Milliseconds. */
  readonly delay: number;
  readonly key: PropertyKey;
}

/** The value that a constructor parameter is given. */
export type ParameterBlueprint =
  | { readonly kind: 'worker'; readonly worker: Ctor | string; readonly key?: string | undefined; readonly owner?: 'app' | undefined }
  | { readonly kind: 'options' }
  /** `token` may be a tsyringe DelayedConstructor or transform; `type` is the class from decorator metadata where known. */
  | { readonly kind: 'token'; readonly token: Token; readonly multiple?: boolean; readonly optional?: boolean }
  /** No metadata and no decorator: `parameterMistakes` tells it. */
  | { readonly kind: 'unknown' };

/** Hooks without arguments in their decorator, in the order in which they are called. */
export type HookName = 'connect' | 'secure' | 'drain' | 'idle' | 'end' | 'exit' | 'error' | 'shutdown' | 'close' | 'request';

export interface DataRoute {
  readonly key: PropertyKey;
  readonly validate?: Validator | undefined;
}

export interface WorkerDataRoute extends DataRoute {
  /** Only answers of this worker; any when undefined. */
  readonly worker?: Ctor | undefined;
}

export interface WorkerEventRoute {
  readonly key: PropertyKey;
  readonly worker: Ctor;
  readonly event: string;
}

/** One endpoint, as it was written: a url or exec, with the options that stand beside it. */
export interface EndpointBlueprint {
  readonly url: string;
  /** The command of `exec()`. */
  readonly exec?:
    { readonly command: string; readonly args: readonly string[]; readonly options: Readonly<Record<string, unknown>> } | undefined;
  /** The class's options overridden by the endpoint's own: limits, framing, tls …, as written. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A class decorated with `@Connection`. */
export interface ConnectionBlueprint {
  readonly cls: Ctor;
  /** For messages only, never an identity. */
  readonly name: string;
  /** Merged over the inheritance chain, without `listen` and `connect`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly framing?: Framing<unknown, unknown> | undefined;
  /** Thunks are called here, at bootstrap. */
  listen(): readonly EndpointBlueprint[];
  connect(): readonly EndpointBlueprint[];
  readonly hooks: Readonly<Record<HookName, readonly PropertyKey[]>>;
  readonly data: readonly DataRoute[];
  /** For `http:`: the subclass's routes before those of its bases; no two answer the same requests. */
  readonly routes: readonly RouteBlueprint[];
  readonly workerData: readonly WorkerDataRoute[];
  readonly workerEvents: readonly WorkerEventRoute[];
  readonly channels: readonly { readonly token: Ctor; readonly key: PropertyKey }[];
  readonly timers: readonly TimerBlueprint[];
  readonly arounds: Arounds;
  readonly guards: Guards;
  readonly parameters: readonly ParameterBlueprint[];
}

/** A method with `@Task`. */
export interface TaskBlueprint {
  readonly name: string;
  readonly input?: Validator | undefined;
  readonly output?: Validator | undefined;
  readonly yields?: Validator | undefined;
  readonly receives?: Validator | undefined;
  readonly events: ReadonlyMap<string, Validator>;
  readonly idempotent: boolean;
  /** How often a crashed call is tried again; 0 unless idempotent. */
  readonly retries: number;
  readonly timeout?: number | undefined;
  readonly softTimeout?: number | undefined;
  /** The schemas as they were written, by role: `input`, `output`, `yields`, `receives`, and `events.<name>`. */
  readonly schemas?: Readonly<Record<string, unknown>> | undefined;
}

/** The options of `@Worker`, every default filled in: those of the process (`HostSettings`), and the others. */
export interface WorkerSettings extends HostSettings {
  readonly autoLoad: boolean;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly spare: number;
  readonly idleTimeout: number;
  readonly concurrency: number;
  readonly prefetch: 'auto' | number;
  readonly maxQueue: number;
  /** Bytes of the arguments of calls waiting; 0: no limit. */
  readonly maxQueueBytes: number;
  /** Undefined: a tenth of maxQueue for connections, none for the application's own clients. */
  readonly maxQueuePerCaller: number | undefined;
  readonly queueTimeout: number | undefined;
  readonly timeout: number;
  readonly softTimeout: number;
  readonly cancelGrace: number;
  readonly startTimeout: number;
  readonly closeTimeout: number;
  readonly drainTimeout: number;
  readonly stallTimeout: number;
  /** Milliseconds that a call waits for a host of the mesh. */
  readonly waitForHost: number;
  readonly maxMessageSize: number;
  readonly runtime: Runtime;
  readonly accept: 'master' | 'shared';
  readonly restart: { readonly maxFailedStarts: number; readonly within: number; readonly delay: number; readonly maxDelay: number };
  readonly heartbeat: { readonly every: number; readonly grace: number } | false;
  readonly maxTasksPerWorker: number;
  readonly maxMemory: number;
  readonly validate: 'receiver' | 'both' | 'off';
}

/** A class decorated with `@Worker`. */
export interface WorkerBlueprint {
  readonly cls: Ctor;
  /** The identity: what the child looks up. */
  readonly name: string;
  /** The class's own name, for messages. */
  readonly className: string;
  /** The url of the module that declares it, and whether that is certain. */
  readonly source: { readonly url: string; readonly sure: boolean } | undefined;
  readonly settings: WorkerSettings;
  /** The options that were written in the decorator: an impossible one is a mistake only then. */
  readonly written: ReadonlySet<string>;
  readonly tasks: ReadonlyMap<string, TaskBlueprint>;
  /** Public methods without `@Task`: calling one is a TaskNotFoundError. */
  readonly others: readonly string[];
  readonly mailbox: readonly DataRoute[];
  readonly start: readonly PropertyKey[];
  readonly stop: readonly PropertyKey[];
  readonly timers: readonly TimerBlueprint[];
  readonly arounds: Arounds;
  readonly parameters: readonly ParameterBlueprint[];
  readonly startOptions?: Validator | undefined;
  /** Called in the master only. */
  proxy(): Ctor | undefined;
  readonly connections: readonly Ctor[];
  readonly imports: readonly Ctor[];
  readonly providers: readonly unknown[];
}

/** A class that the container builds once: a provider, or a proxy. */
export interface ProviderBlueprint {
  readonly cls: Ctor;
  readonly name: string;
  readonly start: readonly PropertyKey[];
  readonly stop: readonly PropertyKey[];
  readonly timers: readonly TimerBlueprint[];
  readonly workerStart: readonly { readonly worker: Ctor; readonly key: PropertyKey }[];
  readonly workerExit: readonly { readonly worker: Ctor; readonly key: PropertyKey }[];
  readonly channels: readonly { readonly token: Ctor; readonly key: PropertyKey }[];
  readonly parameters: readonly ParameterBlueprint[];
  /** Something of it runs by itself, so it is built at bootstrap. */
  readonly eager: boolean;
}

/** A class decorated with `@Proxy`. */
export interface ProxyBlueprint extends ProviderBlueprint {
  /** Handlers of messages that workers send unasked. */
  readonly mailbox: readonly DataRoute[];
  /** Its own public methods: those with a task's name stand in front of that task. */
  readonly methods: readonly string[];
}

export interface ProviderDeclaration {
  readonly token: Token;
  readonly kind: 'class' | 'value' | 'factory';
  readonly cls?: Ctor | undefined;
  readonly value?: unknown;
  readonly factory?: ((container: { resolve(token: Token): unknown }) => unknown) | undefined;
  readonly scope: 'app' | 'connection';
}

/** Contents of a worker's own process. */
export interface InsideBlueprint {
  readonly connections: readonly ConnectionBlueprint[];
  readonly providers: readonly ProviderDeclaration[];
}

/** A whole application. */
export interface AppBlueprint {
  readonly connections: readonly ConnectionBlueprint[];
  readonly mounted: readonly MountedPart[];
  readonly workers: readonly WorkerBlueprint[];
  /** Around everything in the master. */
  readonly around: readonly AroundFunction[];
  readonly providers: readonly ProviderDeclaration[];
  /** By worker class: what lives inside, the endpoints of its connections read. */
  readonly inside: ReadonlyMap<Ctor, InsideBlueprint>;
}
