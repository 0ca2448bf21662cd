import type { InjectionToken } from 'tsyringe';
import type { AroundFunction } from '../around-types.js';
import type { Ctor } from '../ctor.js';

interface Scoped {
  /** 'connection': one for each connection, disposed with it. Default: one for the application. */
  scope?: 'connection' | undefined;
}

/** Key under which a value is found: tsyringe's tokens, and abstract classes, which stand for their subclasses. */
export type ProviderToken<T = unknown> = InjectionToken<T> | Ctor<T>;

/** Something that the container can build: a class, or how a token is made. */
export type Provider =
  | Ctor
  | { token: ProviderToken; useValue: unknown; scope?: undefined }
  | ({ token: ProviderToken; useClass: Ctor } & Scoped)
  | ({
      token: ProviderToken;
      /** Makes the value; called once, or once for each connection where `scope` says so. */
      useFactory: (container: { resolve<T>(token: ProviderToken<T>): T }) => unknown;
    } & Scoped);

/** The worker modules of a folder. Made by `discover()`. */
export interface Discovery {
  readonly folder: URL;
}

/** A part of an application that brings its own listener, such as the result of `packet-ts/http`'s mount(). */
export interface Mounted {
  readonly __mounted: true;
}

/** The parts of an application that a {@link Mounted} in it may use. */
export interface MountTools {
  /** A client of a worker; its calls belong to the application. */
  worker(worker: Ctor, options?: { readonly key?: string | undefined }): unknown;
  /** A provider. */
  get(token: unknown): unknown;
}

/** A {@link Mounted}, as the application sees it. */
export interface MountedPart extends Mounted {
  /** A connection class made for it: where it listens. */
  readonly handler: Ctor;
  /** Makes what serves; its endpoints are given that as the option `mounted`. */
  start(tools: MountTools): Promise<RunningMount>;
}

/** A {@link Mounted} that serves in one application. */
export interface RunningMount {
  /** When nothing is under way any more. */
  stop(): Promise<void>;
}

/** The options of `@Module`. */
export interface ModuleOptions {
  /** Other modules; everything is merged, there is no scope. */
  imports?: readonly Ctor[] | undefined;
  /** Classes that listen or dial by themselves. */
  connections?: readonly (Ctor | Mounted)[] | undefined;
  workers?: readonly (Ctor | Discovery)[] | undefined;
  providers?: readonly Provider[] | undefined;
  /** Functions around every message, request and call of the master, the outermost first; `@Around` has them for one class. */
  around?: readonly AroundFunction[] | undefined;
}
