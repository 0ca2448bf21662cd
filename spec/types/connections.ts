/** What must and must not compile about connections, their hooks and the clients injected into them. */
import { z } from 'zod';
import { delay, type InjectionToken } from 'tsyringe';
import type { WorkerClient } from '../../src/decorators/worker/client-types.js';
import type { About, CloseReason, ExitStatus, WorkerOrigin } from '../../src/decorators/hook-types.js';
import type { ExitReason, WorkerProcess } from '../../src/decorators/worker/worker-types.js';
import { channel, type Channel } from '../../src/decorators/injection/channel-token.js';
import { Connection } from '../../src/decorators/connection/connection.js';
import {
  OnChannel,
  OnClose,
  OnConnect,
  OnData,
  OnError,
  OnExit,
  OnIdle,
  OnRequest,
  OnShutdown,
} from '../../src/decorators/connection/connection-hooks.js';
import { exec } from '../../src/decorators/connection/exec.js';
import { InjectWorker } from '../../src/decorators/injection/inject.js';
import { Module, discover } from '../../src/decorators/module.js';
import { OnWorkerData, OnWorkerEvent, OnWorkerExit, OnWorkerStart } from '../../src/decorators/worker/worker-hooks.js';
import type { Remote } from '../../src/endpoints/endpoint.js';
import type { Framing } from '../../src/framing/framing.js';
import { json, lines, raw } from '../../src/framing/index.js';
import { Peer } from '../../src/session/peer.js';
import { Workers } from '../../src/workers/workers.js';
import { mount } from 'packet-ts/http';
import { inject, Master, Reactor, spawn, type FileRange, type HandOffOptions, type PipeOptions, type Where } from 'packet-ts';
import { Good, Other, Tenant } from './workers.js';

const News = channel<{ title: string }>('news', { buffer: 10, overflow: 'dropOldest' });

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
export class C {
  constructor(
    private readonly peer: Peer<string, string>,
    @InjectWorker(Good) private readonly good: WorkerClient<Good>,
    @InjectWorker('good', { key: 'gold', owner: 'app' }) readonly byName: WorkerClient<Good>,
    @inject(News) readonly news: Channel<{ title: string }>,
    @inject(delay(() => C)) readonly late: unknown,
  ) {}

  @OnConnect() protected hello() {
    return 'hello';
  }
  @OnData() a(s: string) {
    this.peer.send('x');
    return this.good.evaluate(s);
  }
  @OnData(z.string()) b(s: string, from: Remote) {
    return s + from.url;
  }
  // @ts-expect-error another type than the schema's
  @OnData(z.string()) c(s: number) {
    return s;
  }
  @OnError() explain(error: Error, about: About) {
    return about.during === 'hook' ? about.hook : error.message;
  }
  // @ts-expect-error an error is no number
  @OnError() d(s: number) {
    return s;
  }
  @OnWorkerData() any(data: unknown) {
    return data;
  }
  @OnWorkerData(Good, z.string()) e(s: string) {
    return s;
  }
  @OnWorkerData(undefined, z.string()) ofAny(s: string) {
    return s;
  }
  // @ts-expect-error another type than the schema's
  @OnWorkerData(Good, z.string()) notThat(s: number) {
    return s;
  }
  @OnWorkerEvent(Good, 'progress') protected f(n: number, { worker, task, tag }: WorkerOrigin) {
    return `${worker} ${task} ${n} ${String(tag)}`;
  }
  // @ts-expect-error no such event
  @OnWorkerEvent(Good, 'nope') g(n: number) {
    void n;
  }
  // @ts-expect-error another payload
  @OnWorkerEvent(Good, 'progress') h(n: string) {
    void n;
  }
  // @ts-expect-error no Response
  @OnRequest() i(_r: Request) {
    return 'x';
  }
  @OnRequest() answer(request: Request, { id }: { id: string }): Response {
    return new Response(`${request.url} ${id}`);
  }
  @OnChannel(News) j(item: { title: string }) {
    return item.title;
  }
  // @ts-expect-error another item
  @OnChannel(News) k(item: number) {
    return item;
  }
  @OnIdle() async idle() {}
  @OnExit() exited({ code }: ExitStatus) {
    return code;
  }
  @OnShutdown() protected async last() {}
  @OnClose() closed({ by, code }: CloseReason) {
    return by === 'peer' && code;
  }
  // @ts-expect-error another reason
  @OnClose() closedOtherwise({ by }: { by: number }) {
    return by;
  }

  async use(workers: Workers, reactor: Reactor) {
    await this.good.zero();
    await this.good.zero(undefined, { timeout: '1s' });
    await this.good.evaluate('x', { affinity: 'a', key: 'k', caller: 't', tag: 1, signal: AbortSignal.timeout(5) });
    const nothing: void = await this.good.nothing();
    void nothing;
    for await (const n of this.good.count('x', { on: { progress: p => p.toFixed() } })) n.toFixed();
    const sum: number = await this.good.take({ n: 1 }, { send: [Buffer.of(1)] });
    void sum;
    // @ts-expect-error chunks must be sent
    await this.good.take({ n: 1 });
    // @ts-expect-error not bytes
    await this.good.take({ n: 1 }, { send: [1] });
    // @ts-expect-error no such event
    await this.good.evaluate('x', { on: { nope: () => {} } });
    // @ts-expect-error another payload
    this.good.count('x', { on: { progress: (p: string) => p } });
    // @ts-expect-error a stream is not a promise
    (await this.good.count('x')).toFixed();
    // @ts-expect-error the schema would accept {}: only stricter
    await this.good.take({}, { send: [] });
    // @ts-expect-error hooks are protected
    await this.good.start();
    // @ts-expect-error no such task
    await this.good.other();
    this.peer.setFraming(raw() as unknown as Framing<string, string>);
    // @ts-expect-error raw() delivers Buffers
    this.peer.setFraming(raw());
    // @ts-expect-error not what the framing encodes
    this.peer.send(1);
    const x: unknown = await this.good.ask({});
    void x;
    // @ts-expect-error unknown
    const y: number = await this.good.ask({});
    void y;
    this.good.tell({}, { tag: 1 });

    await workers.start(Good);
    await workers.start(Good, { key: 'a' });
    await workers.start(Tenant, { key: 'gold', options: { quality: 3 } });
    // @ts-expect-error options are required
    await workers.start(Tenant, { key: 'gold' });
    // @ts-expect-error options are required
    await workers.start(Tenant);
    // @ts-expect-error other options
    await workers.start(Tenant, { options: { quality: 'x' } });
    // @ts-expect-error options are required
    await spawn(Tenant);
    await using t = await spawn(Tenant, { options: { quality: 1 }, maxWorkers: 2 });
    (await t.quality()).toFixed();
    await t.close();

    const up: Up = await reactor.connect(Up, 'tcp://h:1', { data: { title: 'x' }, idleTimeout: '5s' });
    up.peer.data.title.trim();
    await reactor.connect(C, 'tcp://h:1');
    await reactor.connect(C, 'tcp://h:1', { signal: AbortSignal.timeout(5) });
    reactor.dial(Up, 'tcp://h:1', { data: { title: 'x' }, reconnect: { delay: '1s' } });
    // @ts-expect-error data is required
    await reactor.connect(Up, 'tcp://h:1');
    // @ts-expect-error data is required
    await reactor.connect(Up, 'tcp://h:1', { connectTimeout: '1s' });
    // @ts-expect-error other data
    await reactor.connect(Up, 'tcp://h:1', { data: { title: 1 } });
    // @ts-expect-error data is required
    reactor.dial(Up, 'tcp://h:1', { reconnect: {} });
    // @ts-expect-error connect() dials once
    await reactor.connect(C, 'tcp://h:1', { reconnect: {} });
    // @ts-expect-error no such scheme
    await reactor.connect(C, 'ftp://h:1');
    // @ts-expect-error it declares no peer, so nobody could read the data
    await reactor.connect(Deaf, 'tcp://h:1', { data: { title: 'x' } });
  }
}

@Connection()
export class Up {
  constructor(readonly peer: Peer<Buffer, string, { title: string }>) {}
}
@Connection({ connect: exec('tail', ['-f', '/var/log/syslog'], { stderr: 'ignore' }) })
export class Deaf {
  @OnData() heard(_chunk: Buffer) {}
}
@Connection({
  listen: [{ url: 'tcp://[::1]:0', framing: lines(), idleTimeout: '5s', tls: { cert: new URL('file:///c'), key: 'pem' } }, 'unix:/tmp/x'],
})
export class Several {}
@Connection({ listen: () => ['memory:x', { url: 'stdio:' }], rateLimit: { messages: 5, per: '1s', beyond: 'pause' } })
export class Later {}

// @ts-expect-error no such option
@Connection({ lisen: 'tcp://h:1' })
export class Typo {}
// @ts-expect-error no such scheme
@Connection({ listen: 'ftp://h:1' })
export class Ftp {}
// @ts-expect-error not a size
@Connection({ maxMessageSize: '1 meg' })
export class Meg {}
// @ts-expect-error the peer sends what the framing does not encode
@Connection({ framing: lines() })
export class BadPeer {
  constructor(readonly peer: Peer<string, number>) {}
}
@Connection({ framing: json<{ a: number }>() })
export class BadClient {
  constructor(
    readonly peer: Peer<{ a: number }, { a: number }>,
    // @ts-expect-error another worker's client
    @InjectWorker(Good) readonly w: WorkerClient<Other>,
  ) {}
}

/** The framing is said by a subclass, or by whoever connects: what the peer sends is not known here. */
@Connection()
export abstract class AnyFraming {
  constructor(readonly peer: Peer<{ op: string }, { ok: boolean }>) {}
}
@Connection({ idleTimeout: '1m' })
export class AnyFramingToo extends AnyFraming {}
@Connection({ framing: json<{ op: string }, { ok: boolean }>() })
export class Said extends AnyFraming {}
// @ts-expect-error another Out than that of the framing
@Connection({ framing: json<{ op: string }, { ok: string }>() })
export class SaidWrongly extends AnyFraming {}

export class Watcher {
  @OnWorkerStart(Good) protected up({ handle, pid }: WorkerProcess) {
    return `${handle.name} ${pid}`;
  }
  @OnWorkerExit(Good) protected down({ pid }: WorkerProcess, why?: ExitReason) {
    return `${pid} ${why?.reason}`;
  }
  @OnWorkerExit(Good) protected downBecause({ pid }: WorkerProcess, why: ExitReason) {
    return `${pid} ${why.reason}`;
  }
  // @ts-expect-error not a process
  @OnWorkerStart(Good) protected wrong(pid: number) {
    return pid;
  }
}

@Module({
  connections: [C, Several],
  workers: [Good, discover(new URL('./workers/', import.meta.url))],
  providers: [Watcher, { token: 'a', useValue: 1 }, { token: News, useFactory: c => c.resolve(Watcher), scope: 'connection' }],
})
export class App {}
// @ts-expect-error no such list
@Module({ conections: [C] })
export class TypoModule {}
// @ts-expect-error a value has no scope
@Module({ providers: [{ token: 'a', useValue: 1, scope: 'connection' }] })
export class ScopedValue {}

/** Where the compiler writes no metadata each parameter takes `@inject(Token)`: every injectable class is a token. */
export class Explicit {
  constructor(
    @inject(Peer) readonly a: Peer,
    @inject(Reactor) readonly b: Reactor,
    @inject(Workers) readonly c: Workers,
    @inject(Master) readonly d: Master,
    @inject(News) readonly e: Channel<{ title: string }>,
  ) {}
}
export type Token = InjectionToken;

/** What a peer and the reactor are asked with has a name, for whoever passes it on. */
export function passesOn(
  peer: Peer,
  to: Peer,
  reactor: Reactor,
  where: Where,
  how: PipeOptions,
  part: FileRange,
  move: HandOffOptions,
): unknown {
  return [peer.pipe(to, how), peer.sendFile('/srv/file', part), peer.handOff(Good, move), reactor.listen(C, where)];
}

abstract class Store {
  abstract get(key: string): string;
}

/** An abstract class is a token wherever one is asked for. */
export class ByAbstractClass {
  constructor(
    @inject(Store) readonly store: Store,
    @inject('config', { isOptional: true }) readonly config?: unknown,
  ) {}
}
export const mountedByAbstractClass = mount(({ get }) => ({ fetch: () => new Response(get(Store).get('a')) }), {
  listen: 'http://127.0.0.1:0',
});
