import diagnostics from 'node:diagnostics_channel';
import { expect } from 'chai';
import {
  Around,
  bootstrap,
  ConfigurationError,
  Connection,
  InjectWorker,
  Module,
  OnData,
  OnError,
  OnStart,
  retry,
  UsageError,
  type AroundContext,
  type AroundFunction,
  type Next,
  type WorkerClient,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import { createTestApp, type TestApp } from 'packet-ts/testing';
import { atEnd } from '../kit/index.js';
import { AroundWorker } from '../fixtures/workers/around.worker.js';

/** Notes what it stands around, before and after. */
function noting(to: string[], name = ''): AroundFunction {
  return async ({ kind, name: what }: AroundContext, next: Next) => {
    to.push(`${name}${kind} ${what}`);
    try {
      return await next();
    } finally {
      to.push(`${name}/${kind}`);
    }
  };
}

/** The client of a provider that these functions stand around. */
async function clientInside(...fns: readonly AroundFunction[]): Promise<WorkerClient<AroundWorker>> {
  class Asks {
    constructor(@InjectWorker(AroundWorker) readonly worker: WorkerClient<AroundWorker>) {}
    @OnStart() protected start(): void {}
  }
  for (const fn of fns) Around(fn)(Asks);
  @Module({ providers: [Asks], workers: [AroundWorker] })
  class AppModule {}
  const app = await started(AppModule);
  return app.get<Asks>(Asks).worker;
}

/** Starts an application in memory that ends with the test. */
async function started(module: new () => object, runtime: 'inline' | 'process' = 'inline'): Promise<TestApp> {
  const app = await createTestApp(module).start({ runtime });
  atEnd(() => app.close());
  return app;
}

describe('@Around', () => {
  it('stands around messages and calls of a connection class, in the order module, class, method', async () => {
    const told: string[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    @Around(noting(told, '1 '))
    @Around(noting(told, '2 '))
    class Line {
      constructor(@InjectWorker(AroundWorker) private readonly worker: WorkerClient<AroundWorker>) {}
      @OnData()
      @Around(noting(told, '3 '))
      handle(text: string): Promise<string> {
        return this.worker.plain(text);
      }
    }
    @Module({ connections: [Line], workers: [AroundWorker], around: [noting(told, '0 ')] })
    class AppModule {}
    const app = await started(AppModule);
    const client = await app.connect(Line);
    client.send('a');
    await client.expect('plain a');
    expect(told).to.deep.equal([
      '0 message Line.handle',
      '1 message Line.handle',
      '2 message Line.handle',
      '3 message Line.handle',
      '0 call around_worker.plain',
      '1 call around_worker.plain',
      '2 call around_worker.plain',
      '2 /call',
      '1 /call',
      '0 /call',
      '3 /message',
      '2 /message',
      '1 /message',
      '0 /message',
    ]);
  });

  it('sees the message as its method gets it, who sent it, and may answer in its place', async () => {
    let seen: AroundContext | undefined;
    const guard: AroundFunction = (context, next) => {
      seen = context;
      return context.kind === 'message' && context.message === 'secret' ? 'no' : next();
    };
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Line {
      @OnData() @Around(guard) handle(text: string): string {
        return `got ${text}`;
      }
    }
    @Module({ connections: [Line] })
    class AppModule {}
    const app = await started(AppModule);
    const client = await app.connect(Line);
    client.send('secret');
    await client.expect('no');
    client.send('open');
    await client.expect('got open');
    expect(seen).to.deep.include({ kind: 'message', handler: 'Line', method: 'handle', message: 'open' });
    const { peer } = [...app.reactor.connections(Line)][0]!;
    expect((seen as { connection?: unknown }).connection).to.deep.equal({ id: peer.id, remote: peer.remote });
  });

  it('throws to @OnError', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    @Around(() => {
      throw new Error('not today');
    })
    class Line {
      @OnData() handle(): string {
        return 'never';
      }
      @OnError() explain({ message }: Error): string {
        return message;
      }
    }
    @Module({ connections: [Line] })
    class AppModule {}
    const app = await started(AppModule);
    const client = await app.connect(Line);
    client.send('x');
    await client.expect('not today');
  });

  it('stands around requests', async () => {
    const told: string[] = [];
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Web {
      @OnRequest()
      @Around(noting(told))
      @Around(({ kind }, next) => (kind === 'request' ? next() : new Response('no')))
      answer(): Response {
        return new Response('yes');
      }
    }
    @Module({ connections: [Web] })
    class AppModule {}
    const app = await bootstrap(AppModule, { signals: false, logger: false });
    atEnd(() => app.close());
    const answer = await fetch(app.address(Web).url);
    expect(await answer.text()).to.equal('yes');
    expect(told).to.deep.equal(['request Web.answer', '/request']);
  });

  it('stands around calls of providers, events, streams and signals kept', async () => {
    const told: string[] = [];
    const worker = await clientInside(noting(told));
    expect(await worker.plain('a')).to.equal('plain a');
    const items: number[] = [];
    for await (const item of worker.count(3)) items.push(item);
    expect(items).to.deep.equal([1, 2, 3]);
    const aborted = await worker.plain('a', { signal: AbortSignal.abort('gone') }).catch((error: unknown) => error);
    expect(aborted).to.have.property('code', 'ERR_PACKET_ABORTED');
    const wrong = await worker.plain('a', { on: {} } as never).catch((error: unknown) => error);
    expect(wrong).to.be.instanceOf(UsageError);
    expect(told.filter(line => !line.startsWith('/'))).to.deep.equal([
      'call around_worker.plain',
      'call around_worker.count',
      'call around_worker.plain',
      'call around_worker.plain',
    ]);
  });

  it('that refuses a stream or a tell tells the reader of the stream, and an event', async () => {
    const worker = await clientInside((context, next) => {
      if (context.kind === 'call' && context.input !== 'let through') throw new Error('not today');
      return next();
    });
    const events: unknown[] = [];
    const listen = (event: unknown): void => void events.push(event);
    diagnostics.subscribe('packet-ts:hook.error', listen);
    atEnd(() => diagnostics.unsubscribe('packet-ts:hook.error', listen));
    const stray: unknown[] = [];
    const heard = (error: unknown): void => void stray.push(error);
    process.on('unhandledRejection', heard);
    atEnd(() => process.off('unhandledRejection', heard));

    const stream = worker.count(3);
    worker.tell('mail');
    // A rejection that nothing handles is told before the loop turns again.
    await new Promise(setImmediate);
    const error: unknown = await stream[Symbol.asyncIterator]()
      .next()
      .catch((reason: unknown) => reason);
    expect(error).to.have.property('message', 'not today');
    expect(stray).to.deep.equal([]);
    expect(events.map(event => (event as { hook: string; task: string; error: Error }).error.message)).to.deep.equal(['not today']);
    expect(events[0]).to.include({ hook: 'Around', worker: 'around_worker', task: 'tell' });
    expect(() => worker.tell('let through', { timout: 1 } as never), 'the mistake of its caller').to.throw(UsageError);
  });

  it('lets entries of the carrier that it sets travel with the call', async () => {
    const worker = await clientInside((context, next) => {
      if (context.kind === 'call') context.carrier['tenant'] = 'gold';
      return next();
    });
    expect(await worker.carried('x', { carrier: { user: 'u' } })).to.deep.equal({ user: 'u', tenant: 'gold' });
  });

  for (const runtime of ['inline', 'process'] as const) {
    it(`stands around tasks on a worker's class and methods, in the worker (${runtime})`, async () => {
      class Asks {
        constructor(@InjectWorker(AroundWorker) readonly worker: WorkerClient<AroundWorker>) {}
        @OnStart() protected start(): void {}
      }
      @Module({ workers: [AroundWorker], providers: [Asks] })
      class AppModule {}
      const app = await started(AppModule, runtime);
      const { worker } = app.get<Asks>(Asks);
      expect(await worker.wrapped('a', { carrier: { user: 'u' } })).to.equal('[task around_worker.wrapped u 1 a]');
      expect(await worker.plain('a')).to.equal('plain a');
      // Tried twice there; the caller sees one call.
      expect(await worker.flaky('once')).to.equal('once after 2');
      expect(await worker.ask('mail')).to.equal('mail');
    });
  }

  it('on what takes nothing, or beside what is no function, is told at bootstrap', async () => {
    class Provider {
      @Around(noting([])) protected help(): void {}
    }
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Line {
      @Around(noting([])) protected help(): void {}
    }
    @Module({ connections: [Line], providers: [Provider], around: ['retry' as never] })
    class AppModule {}
    const error: unknown = await createTestApp(AppModule)
      .start()
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ConfigurationError);
    expect((error as ConfigurationError).mistakes.map(({ where, wrong }) => `${where}: ${wrong}`)).to.have.members([
      'AppModule: it lists retry, which is no function',
      'Line: @Around stands on a method that takes no message, request or call',
      'Provider: @Around cannot stand on a provider',
    ]);
    expect(() => Around(5 as never)).to.throw(UsageError, '@Around takes a function (context, next), not 5');
  });

  it('that retries on a class retries calls and not what makes them', async () => {
    let handled = 0;
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    @Around(retry({ attempts: 2, delay: 1 }))
    class Line {
      constructor(@InjectWorker(AroundWorker) private readonly worker: WorkerClient<AroundWorker>) {}
      @OnData() async handle(name: string): Promise<string> {
        handled++;
        return this.worker.failing(name);
      }
      @OnError() explain({ message }: Error): string {
        return message;
      }
    }
    @Module({ connections: [Line], workers: [AroundWorker] })
    class AppModule {}
    const app = await started(AppModule);
    const client = await app.connect(Line);
    client.send('retried');
    await client.expect('retried failed 2');
    expect(handled).to.equal(1);
  });
});
