/** Names that examples of doc comments use without declaring them: an application, its classes and what its functions are given. */
import type { WriteStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import {
  Connection,
  InjectOptions,
  OnData,
  Peer,
  Task,
  Worker,
  WorkerProxy,
  type App,
  type Logger,
  type Options,
  type Reactor,
  type Spawned,
  type TaskContext,
  type WorkerClient,
  type Workers,
} from '../../src/index.js';
import type { Clock } from '../../src/clock.js';
import type { RequestAbout } from '../../src/http/index.js';
import type { HostSpec, Host } from '../../src/hosts/host.js';
import type { InlineHostOptions } from '../../src/hosts/inline-types.js';
import { lines, type ByteQueue, type Framing } from '../../src/framing/index.js';
import type { ConformanceCases, TestApp, TestClient } from '../../src/testing/index.js';
import type { ServeOptions } from '../../src/tasks/start/serve-process.js';
import type { LinkReceiver } from '../../src/wire/link/types.js';

export { z };
export { Buffer } from 'node:buffer';
export { Socket } from 'node:net';
export { default as diagnostics_channel } from 'node:diagnostics_channel';
export { Hono } from 'hono';
export { fastify } from 'fastify';
export { readConnection } from '../../src/blueprint/connection/connection.js';
export { valid } from '../../src/blueprint/mistakes.js';
export { inlineHost } from '../../src/hosts/inline.js';
export { processHost } from '../../src/hosts/process.js';
export { serveInline } from '../../src/tasks/start/serve-inline.js';
export { duplexPair } from '../../src/wire/link/duplex-pair.js';

@Worker('eval_worker')
export class EvalWorker {
  @Task({ input: z.string(), output: z.string() }) evaluate(source: string): string {
    return source;
  }
}

@Worker('edge')
export class EdgeWorker {}

export type TenantOptions = { quality: number };

@Worker('tenant')
export class TenantWorker {
  constructor(@InjectOptions() readonly options: Options<TenantOptions>) {}
}

@Worker('prices')
export class Prices {}

@Worker('render')
export class Render {
  @Task({ events: { progress: z.number() } }) async render(_: undefined, { emit }: TaskContext<{ progress: number }>): Promise<void> {
    await emit('progress', 50);
  }
}

export const Query = z.string();
export type Query = string;
export const Hits = z.array(z.string());
export type Hits = string[];

@Worker('search')
export class Search {
  @Task({ input: Query, output: Hits }) look(query: Query): Hits {
    return [query];
  }
}

@Connection({ listen: 'tcp://127.0.0.1:7000', framing: lines() })
export class Lines {
  constructor(readonly peer: Peer<string, string>) {}
  @OnData() echo(line: string): string {
    return line;
  }
}
export class EchoConnection extends Lines {}
export class EdgeConnection extends Lines {}
export class EvalConnection extends Lines {}
export class Feed extends Lines {}
export class Orders extends Lines {}
export class Upstream {
  constructor(readonly peer: Peer<Buffer, Buffer, { client?: Peer }>) {}
}

export class AppModule {}
export class Store {
  get(key: string): string {
    return key;
  }
}

export const Order = z.object({ id: z.number() });
export const NewOrder = z.object({ item: z.string() });
export type GetCommand = { key: string };
export type Item = { text: string };
export type Question = { text: string };
export type Answer = { text: string };
export type Command = { name: string };
export type Result = { code: number };
export type Config = { url: string };
export const tenantSchema = z.object({ quality: z.number() });

/** The class around an example that is one method. */
export abstract class Context {
  declare protected readonly app: App;
  declare protected readonly log: Logger;
  declare protected readonly master: never;
  declare protected readonly peer: Peer;
  declare protected readonly store: Store;
  declare protected readonly orders: { find(id: number): z.infer<typeof Order>; add(order: z.infer<typeof NewOrder>): void };
  protected abstract handle(line: string): string;
}

export declare const about: RequestAbout;
export declare const app: App & TestApp;
export declare const buffered: Buffer[];
export declare const cases: ConformanceCases<unknown>;
export declare const chunk: Buffer;
export declare const client: TestClient & Peer & WorkerClient<EvalWorker>;
export declare const clock: Clock;
export declare const error: Error;
export declare const evaluator: Spawned<typeof EvalWorker>;
export declare const fake: Store;
export declare const file: WriteStream;
export declare const framing: Framing<unknown, unknown>;
export declare const id: string;
export declare const image: Uint8Array<ArrayBuffer>;
export declare const listen: 'http://127.0.0.1:8080';
export declare const loadDeclared: ServeOptions['load'];
export declare const log: Logger;
export declare const NEWLINE: Buffer;
export declare const path: string;
export declare const peer: Peer;
export declare const queue: ByteQueue;
export declare const reactor: Reactor;
export declare const receiver: LinkReceiver;
export declare const resizer: { resize(input: { image: Uint8Array; width: number }): Promise<Uint8Array> };
export declare const response: ServerResponse;
export declare const server: Server;
export declare const signal: AbortSignal;
export declare const socket: Socket;
export declare const spec: HostSpec;
export declare const stream: Duplex;
export declare const startInline: InlineHostOptions['start'];
export declare const startThreads: () => Host;
export declare const upstream: Peer;
export declare const users: { find(token: string | null): Promise<object | undefined> };
export declare const workers: Workers;
export declare function alert(text: unknown): void;
export declare function isAllowed(context: object): boolean;
export declare function isKnown(request: Request): boolean;
export declare function isMe(token: string | null): boolean;
export declare function record(name: string, milliseconds: number): void;
export { WorkerProxy };
