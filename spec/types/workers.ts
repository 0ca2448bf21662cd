/** What must and must not compile about workers, tasks and proxies. Each @ts-expect-error is a promise; tsc keeps them. */
import { z } from 'zod';
import type { ProxyCall } from '../../src/decorators/worker/proxy-types.js';
import type { Options, TaskContext } from '../../src/decorators/worker/task-types.js';
import { InjectOptions } from '../../src/decorators/injection/inject.js';
import { After, Every, OnStart, OnStop } from '../../src/decorators/lifecycle.js';
import { OnData } from '../../src/decorators/connection/connection-hooks.js';
import { Proxy } from '../../src/decorators/worker/proxy.js';
import { Task } from '../../src/decorators/worker/task.js';
import { Transferable } from '../../src/decorators/worker/transferable.js';
import { Worker } from '../../src/decorators/worker/worker.js';
import { bytes } from '../../src/schema.js';
import { WorkerProxy } from '../../src/workers/proxy/proxy.js';
import { Master } from 'packet-ts';

@Proxy()
class FooProxy extends WorkerProxy<Good> {
  evaluate(s: string, call: ProxyCall) {
    return this.worker.evaluate(s, call);
  }
  async *count(n: string, call: ProxyCall) {
    yield* this.worker.count(n, call);
  }
  protected async all(call: ProxyCall) {
    await this.own.evaluate('mine');
    await Promise.all(this.instances.map(instance => instance.worker.evaluate('x', call)));
    await Promise.all(this.instances.map(({ own, pid, handle }) => own.evaluate(`${pid} ${handle.name}`)));
    // @ts-expect-error `worker` requires the call
    await this.worker.evaluate('x');
    // @ts-expect-error not that input
    await this.worker.evaluate(1, call);
    // @ts-expect-error ask() does, too
    await this.worker.ask({});
    await this.worker.ask({}, call);
  }
}

/** A task may be answered at once, from a cache. */
@Proxy()
class CachingProxy extends WorkerProxy<Good, { size: number }> {
  evaluate(s: string): string {
    return this.options.size > 0 ? s : '';
  }
}

@Proxy()
class BadProxy extends WorkerProxy<Good> {
  evaluate(s: string, _call: ProxyCall) {
    return s.length;
  }
}

@Proxy()
class BadInput extends WorkerProxy<Good> {
  evaluate(s: number, _call: ProxyCall) {
    return String(s);
  }
}

@Proxy()
class OnceProxy extends WorkerProxy<Good> {
  async count(_n: string, _call: ProxyCall) {
    return 1;
  }
}

@Proxy()
class Foreign extends WorkerProxy<Other> {}

// @ts-expect-error not a WorkerProxy
@Proxy()
export class NoProxy {}

@Worker('good', { maxWorkers: 2, timeout: '1s', proxy: FooProxy })
export class Good {
  @Task({ input: z.string(), output: z.string() })
  evaluate(source: string): string {
    return source;
  }
  @Task({ input: z.string(), yields: z.number(), events: { progress: z.number() } })
  async *count(n: string, context: TaskContext<{ progress: number }>) {
    await context.emit('progress', 1);
    yield n.length;
  }
  @Task({ input: z.object({ n: z.number().default(1) }), receives: bytes(), output: z.number() })
  async take(q: { n: number }, { incoming }: TaskContext<{}, Uint8Array>) {
    let all = q.n;
    for await (const chunk of incoming) all += chunk.length;
    return all;
  }
  @Task({ output: z.number() })
  zero() {
    return 1;
  }
  @Task()
  nothing() {}
  @Task({ input: z.string(), idempotent: true, retries: 3, timeout: '1s', softTimeout: false })
  async slow(_source: string): Promise<void> {}
  @Task({ input: z.string().brand('Id'), output: z.string() })
  branded(id: string & z.core.$brand<'Id'>) {
    return id;
  }
  // @ts-expect-error without `output` it must return nothing: the client type would say number and get undefined
  @Task() nothingButSomething() {
    return 3;
  }
  // @ts-expect-error wrong output
  @Task({ input: z.string(), output: z.number() }) bad(source: string): string {
    return source;
  }
  // @ts-expect-error wrong input
  @Task({ input: z.string(), output: z.string() }) bad2(source: number): string {
    return String(source);
  }
  // @ts-expect-error a transform changes the type
  @Task({ input: z.string().transform(Number), output: z.number() }) bad3(source: number): number {
    return source;
  }
  // @ts-expect-error @Task on a protected method
  @Task({ input: z.string(), output: z.string() }) protected bad4(source: string): string {
    return source;
  }
  // @ts-expect-error reserved
  @Task({ input: z.string(), output: z.string() }) tell(source: string): string {
    return source;
  }
  // @ts-expect-error reserved
  @Task() close() {}
  // @ts-expect-error yields, but the method answers once
  @Task({ input: z.string(), yields: z.number() }) bad5(source: string): number {
    return source.length;
  }
  // @ts-expect-error receives bytes, the method wants strings
  @Task({ receives: bytes(), output: z.string() }) async bad6(_: undefined, { incoming }: TaskContext<{}, string>) {
    for await (const chunk of incoming) return chunk.trim();
    return '';
  }
  // @ts-expect-error an event that is not declared
  @Task({ input: z.string(), events: { a: z.number() } }) bad7(_s: string, context: TaskContext<{ b: number }>) {
    void context.emit('b', 1);
  }
  // @ts-expect-error output and yields exclude each other
  @Task({ input: z.string(), output: z.string(), yields: z.string() }) bad8(s: string): string {
    return s;
  }
  // @ts-expect-error no such option
  @Task({ input: z.string(), output: z.string(), retrys: 3 }) bad9(s: string): string {
    return s;
  }
  // @ts-expect-error the chunks change their type on the way
  @Task({ receives: z.string().transform(Number) }) bad10(_: undefined, _context: TaskContext<{}, number>) {}
  @OnStart() protected start() {}
  @OnStop() protected async stop() {}
  @OnData(z.object({ op: z.string() })) protected mail({ op }: { op: string }) {
    return op;
  }
  @Every('1s') protected tick() {}
  @After(500) protected once() {}
  // @ts-expect-error not a duration
  @Every('1 parsec') protected tick2() {}
}

@Worker('other')
export class Other {
  @Task({ input: z.number(), output: z.number() })
  twice(n: number) {
    return 2 * n;
  }
}

@Worker('thunk', { proxy: () => FooProxy })
export class Thunked extends Good {}
@Worker('caching', { proxy: CachingProxy })
export class Cached extends Good {}
// @ts-expect-error a proxy method with another answer
@Worker('w3', { proxy: BadProxy })
export class W3 extends Good {}
// @ts-expect-error a proxy method with another input
@Worker('w4', { proxy: BadInput })
export class W4 extends Good {}
// @ts-expect-error also behind a thunk
@Worker('w5', { proxy: () => BadProxy })
export class W5 extends Good {}
// @ts-expect-error a proxy of another worker
@Worker('w6', { proxy: Foreign })
export class W6 extends Good {}
// @ts-expect-error a stream answered once
@Worker('w7', { proxy: OnceProxy })
export class W7 extends Good {}
// @ts-expect-error no proxy at all
@Worker('w8', { proxy: Other })
export class W8 extends Good {}
// @ts-expect-error no such option
@Worker('w9', { maxWorker: 2 })
export class W9 {}
// @ts-expect-error not a duration
@Worker('w10', { timeout: '1 second' })
export class W10 {}
// @ts-expect-error not a runtime
@Worker('w11', { runtime: 'fiber' })
export class W11 {}

@Worker('tenant', { autoLoad: false, startOptions: z.object({ quality: z.number() }) })
export class Tenant {
  constructor(
    @InjectOptions() readonly options: Options<{ quality: number }>,
    readonly master: Master,
  ) {}
  @Task({ output: z.number() })
  quality() {
    return this.options.quality;
  }
}

@Transferable('tenant_error')
export class TenantError extends Error {
  constructor(readonly quality: number) {
    super('tenant');
  }
}
// @ts-expect-error not an error
@Transferable('no_error')
export class NoError {}

/** A context cannot promise events that its task does not declare. */
export class PromisesEvents {
  // @ts-expect-error -- the task declares no events
  @Task({ input: z.number() }) none(_: number, context: TaskContext<{ p: number }>): void {
    void context;
  }
  // @ts-expect-error -- it declares another one
  @Task({ input: z.number(), events: { q: z.number() } }) other(_: number, context: TaskContext<{ p: number }>): void {
    void context;
  }
  @Task({ input: z.number(), events: { p: z.number(), q: z.string() } }) fewer(_: number, context: TaskContext<{ p: number }>): void {
    void context;
  }
}
