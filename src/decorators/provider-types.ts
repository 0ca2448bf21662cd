import type { InjectionToken } from 'tsyringe';
import type { Ctor } from './ctor.js';

interface Scoped {
  /** 'connection': one for each connection, disposed with it. Default: one for the application. */
  scope?: 'connection' | undefined;
}

/** What the container can build: a class, or how a token is made. */
export type Provider =
  | Ctor
  | { token: InjectionToken; useValue: unknown; scope?: undefined }
  | ({ token: InjectionToken; useClass: Ctor } & Scoped)
  | ({ token: InjectionToken; useFactory: (container: { resolve<T>(token: InjectionToken<T>): T }) => unknown } & Scoped);

/** The worker modules of a folder. Made by `discover()`. */
export interface Discovery {
  readonly folder: URL;
}

/** What `packet-ts/http`'s mount() returns, and whatever else brings its own listener. */
export interface Mounted {
  readonly __mounted: true;
}

/** The options of `@Module`. */
export interface ModuleOptions {
  /** Other modules; everything is merged, there is no scope. */
  imports?: readonly Ctor[] | undefined;
  /** What listens or dials by itself. */
  connections?: readonly (Ctor | Mounted)[] | undefined;
  workers?: readonly (Ctor | Discovery)[] | undefined;
  providers?: readonly Provider[] | undefined;
}
