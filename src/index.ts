/**
 * Declarative servers for Node: connections and worker processes are decorated classes.
 * @module packet-ts
 */
import 'reflect-metadata';
import { isMarkedAsWorker } from './app/worker-process.js';
import { isWorkerThread } from './tasks/start/thread-setup.js';
import { serveWorker, serveWorkerThread } from './worker-main/serve.js';
import { App } from './app/app.js';
import { registerCopy } from './app/container/second-copy.js';
import { Logger } from './logger.js';
import { Peer, Reactor } from './reactor/index.js';
import { Master } from './tasks/master.js';
import { Workers } from './workers/workers.js';

// Dependency injection: tsyringe's own, re-exported so that there is one copy.
export { delay, injectable, type InjectionToken } from 'tsyringe';
export { inject } from './decorators/injection/inject-token.js';

// An application: what it consists of, how it starts and ends.
export { bootstrap } from './app/bootstrap.js';
export type { BootstrapOptions } from './app/start/bootstrap-types.js';
export { App, type CloseSummary, type Health, type OpenApiDocument, type OpenApiOptions } from './app/app.js';
export type { AdminOptions, AdminRole } from './app/admin/admin-types.js';
export { spawn } from './app/spawn.js';
export type { Spawned, SpawnOptions } from './decorators/worker/spawn-types.js';
export { Logger } from './logger.js';
export { discover, Module } from './decorators/module.js';
export { OnStart, OnStop, Every, After } from './decorators/lifecycle.js';
export type { Discovery, ModuleOptions, Mounted, Provider, ProviderToken } from './decorators/injection/provider-types.js';

// Worker classes on other machines.
export { serveWorkers, type ServedWorkers, type ServeWorkersOptions } from './app/mesh/serve-workers.js';
export type { Placement, Placements } from './app/mesh/mesh-side.js';
export type { Mesh, MeshConnection, MeshMessage, MeshSubscription } from './mesh/mesh-types.js';

// Connections: a class per kind of peer.
export { Connection } from './decorators/connection/connection.js';
export {
  OnChannel,
  OnClose,
  OnConnect,
  OnData,
  OnDrain,
  OnEnd,
  OnError,
  OnExit,
  OnIdle,
  OnSecure,
  OnShutdown,
} from './decorators/connection/connection-hooks.js';
export { OnWorkerData, OnWorkerEvent, OnWorkerExit, OnWorkerStart } from './decorators/worker/worker-hooks.js';
export {
  Peer,
  Reactor,
  type BroadcastOptions,
  type Connections,
  type Dialer,
  type DialerEvents,
  type DialerState,
  type FileRange,
  type HandOffOptions,
  type Listening,
  type PipeOptions,
  type Timer,
  type Where,
} from './reactor/index.js';
export type { About, CloseReason, ExitStatus, Method } from './decorators/hook-types.js';
export type * from './decorators/connection/endpoint-types.js';
export type { PeerTls, Remote } from './endpoints/endpoint.js';
export type { Chunk, Decoder, Framing } from './framing/framing.js';
export { exec } from './decorators/connection/exec.js';

// Endpoint schemes of one's own.
export {
  registerScheme,
  type Acceptor,
  type Arrival,
  type Bound,
  type BoundAddress,
  type EndpointTarget,
  type Scheme,
  type Transport,
  type TransportSink,
} from './endpoints/endpoint.js';

// Channels: from one to many, inside a process.
export { channel, type Channel, type ChannelOptions, type ChannelToken } from './decorators/injection/channel-token.js';

// Workers: classes in processes of their own.
export { Worker } from './decorators/worker/worker.js';
export { Task } from './decorators/worker/task.js';
export { Proxy } from './decorators/worker/proxy.js';
export { InjectOptions, InjectWorker, type InjectWorkerOptions } from './decorators/injection/inject.js';
export { Transferable, type TransferableOptions } from './decorators/worker/transferable.js';
export { Workers } from './workers/workers.js';
export { WorkerProxy } from './workers/proxy/proxy.js';
export { Master } from './tasks/master.js';
export type { CallBase, CallOptions, EventsOf, Mailbox, WorkerClient, WorkerTasks } from './decorators/worker/client-types.js';
export type { Caller, Options, TaskContext } from './decorators/worker/task-types.js';
export type { Instance, ProxiedWorker, ProxyCall } from './decorators/worker/proxy-types.js';
export type {
  ExitReason,
  Permissions,
  ResourceLimits,
  RestartOptions,
  WorkerHandle,
  WorkerOptions,
  WorkerProcess,
  WorkersEvents,
  WorkerStatus,
} from './decorators/worker/worker-types.js';
export type { WorkerOrigin } from './decorators/hook-types.js';

// Around what is done: guards, retries, limits.
export { Around } from './decorators/around.js';
export type {
  AroundContext,
  AroundDecorator,
  AroundFunction,
  AroundKind,
  CallAround,
  MessageAround,
  Next,
  NextOptions,
  RequestAround,
  TaskAround,
} from './decorators/around-types.js';
export {
  circuitBreaker,
  rateLimit,
  retry,
  timeout,
  type CircuitBreakerOptions,
  type RateLimitOptions,
  type RetryOptions,
  type TimeoutOptions,
} from './around/index.js';

// Events and traces.
export type { EventName, Events } from './diagnostics/event-types.js';
export type { CallOutcome, CallTrace, MessageTrace, RequestTrace } from './diagnostics/trace-types.js';

// Memory that is moved and not copied.
export { transfer, type Movable } from './transfer.js';

// The boundary: schemas, units, errors.
export { bytes, type Schema, type SchemaIn, type SchemaOut } from './schema.js';
export type { Duration, Off, Size } from './units.js';
export {
  AbortError,
  BoundaryError,
  CallCycleError,
  CircuitOpenError,
  ClosingError,
  ConfigurationError,
  ConnectError,
  ConnectionClosedError,
  EncodeError,
  FramingError,
  LimitError,
  ListenError,
  MeshError,
  ProfileError,
  type ProfileFailure,
  MessageTooLargeError,
  NotCloneableError,
  OperationTimeoutError,
  PacketError,
  ProtocolError,
  ProxyProtocolError,
  QueueTimeoutError,
  RateLimitError,
  StreamStalledError,
  TaskNotFoundError,
  TlsError,
  TlsInjectionError,
  UsageError,
  WorkerBusyError,
  WorkerCrashedError,
  WorkerExistsError,
  WorkerNotFoundError,
  WorkerRecycledError,
  WorkerTimeoutError,
  WorkerUnavailableError,
  type CrashReason,
  type Issue,
  type Mistake,
  type PacketErrorCode,
} from './errors.js';

registerCopy(import.meta.url, [App, Logger, Master, Peer, Reactor, Workers]);

// A bundle is its own worker entry: started again as a worker, it becomes one before any line of the application runs.
if (isMarkedAsWorker()) serveWorker();
else if (isWorkerThread()) serveWorkerThread();
