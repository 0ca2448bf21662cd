import 'reflect-metadata';
import '../../../src/endpoints/index.js';
import { expect } from 'chai';
import { container as globalContainer, delay, inject, injectable, injectAll, injectAllWithTransform, singleton } from 'tsyringe';
import { AppContainer, type FrameworkParts } from '../../../src/app/container/container.js';
import { Scope } from '../../../src/app/container/scope.js';
import { readModule, type Ctor } from '../../../src/blueprint/index.js';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { InjectWorker } from '../../../src/decorators/injection/inject.js';
import { Every, OnStart } from '../../../src/decorators/lifecycle.js';
import { Module } from '../../../src/decorators/module.js';
import type { ModuleOptions } from '../../../src/decorators/injection/provider-types.js';
import { Worker } from '../../../src/decorators/worker/worker.js';
import type { WorkerClient } from '../../../src/decorators/worker/client-types.js';
import { ConfigurationError, UsageError } from '../../../src/errors.js';
import { Logger } from '../../../src/logger.js';
import { Owner } from '../../../src/workers/call/owner.js';

class FakePeer {
  constructor(readonly id: string) {}
}
class Clock {
  readonly now = 1;
}

@Worker('container_spec_worker')
class SomeWorker {}

const parts: FrameworkParts = {
  constants: new Map<Ctor, () => unknown>([[Clock, () => CLOCK]]),
  absent: new Map([[Map, 'exists elsewhere']]),
  peer: FakePeer,
  logger: Logger,
  bindLogger: bindings => ({ bindings }),
  client: (worker, key, owner) => ({ worker, key, owner }),
  channel: () => undefined,
  options: undefined,
};
const CLOCK = new Clock();

async function containerOf(options: ModuleOptions): Promise<AppContainer> {
  @Module(options)
  class Root {}
  const { app, mistakes } = await readModule(Root);
  expect(mistakes).to.deep.equal([]);
  const container = new AppContainer(parts, new Owner('app', 'app'));
  container.declare(app.providers);
  container.verify();
  return container;
}

function connectionScope(id = '1'): Scope {
  return new Scope(new Owner('connection', id), new FakePeer(id));
}

describe('the container', () => {
  it('refuses what is no token', async () => {
    const container = await containerOf({});
    for (const token of [undefined, null, 5]) expect(() => container.get(token as never)).to.throw(UsageError, `${token} is no token`);
    expect(() => container.get(undefined as never)).to.throw(UsageError, 'modules import each other in a circle');
  });

  it('builds a provider once, and what it depends on before it', async () => {
    @injectable()
    class Base {}
    @injectable()
    class Middle {
      constructor(readonly base: Base) {}
      @OnStart() protected start(): void {}
    }
    @injectable()
    class Top {
      constructor(
        readonly middle: Middle,
        readonly base: Base,
      ) {}
      @OnStart() protected start(): void {}
    }
    const container = await containerOf({ providers: [Top, Middle, Base] });
    container.buildEager();
    expect(container.mistakes).to.deep.equal([]);
    expect(container.order.map(({ cls }) => cls)).to.deep.equal([Base, Middle, Top]);
    const top = container.get(Top) as Top;
    expect(top.base).to.equal(top.middle.base);
  });

  it('builds what carries a timer at once and the rest when it is needed', async () => {
    const made: string[] = [];
    class Lazy {
      constructor() {
        made.push('lazy');
      }
    }
    class Ticking {
      constructor() {
        made.push('ticking');
      }
      @Every('1s') protected tick(): void {}
    }
    const container = await containerOf({ providers: [Lazy, Ticking] });
    container.buildEager();
    expect(made).to.deep.equal(['ticking']);
    container.get(Lazy);
    expect(made).to.deep.equal(['ticking', 'lazy']);
  });

  it('gives a connection its peer, its own client, its own scoped providers and the application’s singletons', async () => {
    class Session {
      disposed = 0;
      dispose(): void {
        this.disposed += 1;
      }
    }
    class Store {}
    @Connection({ listen: 'tcp://127.0.0.1:0' })
    class Handler {
      constructor(
        readonly peer: FakePeer,
        readonly session: Session,
        readonly store: Store,
        @inject(Session) readonly again: Session,
        @InjectWorker(SomeWorker) readonly worker: WorkerClient<SomeWorker>,
        @InjectWorker(SomeWorker, { owner: 'app' }) readonly shared: WorkerClient<SomeWorker>,
        readonly log: Logger,
      ) {}
    }
    const container = await containerOf({
      connections: [Handler],
      workers: [SomeWorker],
      providers: [Store, { token: Session, useClass: Session, scope: 'connection' }],
    });
    const { make, wantsOwner } = container.planConnection(Handler);
    expect(wantsOwner).to.equal(true);
    expect(container.mistakes).to.deep.equal([]);
    const [one, two] = [connectionScope('1'), connectionScope('2')];
    const [a, b] = [make(one) as Handler, make(two) as Handler];
    expect(a.peer).to.equal(one.peer);
    expect(a.session).to.equal(a.again).and.to.not.equal(b.session);
    expect(a.store).to.equal(b.store);
    expect((a.worker as unknown as { owner: Owner }).owner).to.equal(one.owner);
    expect((a.shared as unknown as { owner: Owner }).owner).to.equal(container.scope.owner);
    expect((b.log as unknown as { bindings: object }).bindings).to.deep.equal({ handler: 'Handler', connection: '2' });
    await one.dispose(() => {});
    expect([a.session.disposed, b.session.disposed]).to.deep.equal([1, 0]);
  });

  it('disposes in reverse order, and one failure does not stop the rest', async () => {
    const order: string[] = [];
    const scope = connectionScope();
    scope.keep({ dispose: () => order.push('first') });
    scope.keep({
      [Symbol.dispose ?? 'dispose']: () => {
        order.push('second');
        throw new Error('no');
      },
    });
    scope.keep({ dispose: async () => void order.push('third') });
    const failures: unknown[] = [];
    await scope.dispose(error => failures.push(error));
    expect(order).to.deep.equal(['third', 'second', 'first']);
    expect(failures).to.have.length(1);
    await scope.dispose(error => failures.push(error));
    expect(order).to.have.length(3);
  });

  it('takes values and factories; a factory resolves what the application provides', async () => {
    const KEY = Symbol('key');
    class Store {}
    const container = await containerOf({
      providers: [
        { token: 'url', useValue: 'db://here' },
        { token: KEY, useFactory: c => ({ url: c.resolve('url'), store: c.resolve(Store) }) },
        Store,
      ],
    });
    const made = container.get(KEY) as { url: string; store: Store };
    expect(made.url).to.equal('db://here');
    expect(made.store).to.equal(container.get(Store));
    expect(container.get(KEY)).to.equal(made);
  });

  it('tells a factory of something that exists per connection what it resolves in vain, each time, and keeps none of it', async () => {
    const providers = [
      {
        token: 'mine',
        scope: 'connection' as const,
        useFactory: (c: { resolve(token: Ctor): unknown }) => c.resolve(Map),
      },
    ];
    class Handler {
      constructor(@inject('mine') readonly mine: unknown) {}
    }
    const container = await containerOf({ providers });
    const { make } = container.planConnection(Handler);
    for (let i = 0; i < 3; i++) expect(() => make(connectionScope())).to.throw(ConfigurationError, /Map exists elsewhere/);
    expect(container.mistakes).to.deep.equal([]);
  });

  it('plans what such a factory resolves once, however many connections there are', async () => {
    const providers = [
      { token: 'mine', scope: 'connection' as const, useFactory: (c: { resolve(token: Ctor): unknown }) => c.resolve(Logger) },
    ];
    class Handler {
      constructor(@inject('mine') readonly mine: unknown) {}
    }
    const { make } = (await containerOf({ providers })).planConnection(Handler);
    const scopes = ['1', '2', '3'].map(connectionScope);
    expect(scopes.map(scope => (make(scope) as Handler).mine)).to.deep.equal(
      ['1', '2', '3'].map(connection => ({ bindings: { connection } })),
    );
    expect(scopes.map(({ slots }) => slots.length)).to.deep.equal([2, 2, 2]);
  });

  it('keeps a class with tsyringe’s @singleton() once per application', async () => {
    @singleton()
    class Shared {
      constructor(readonly clock: Clock) {}
    }
    const [one, two] = [await containerOf({}), await containerOf({})];
    expect(one.get(Shared)).to.equal(one.get(Shared));
    expect(one.get(Shared)).to.not.equal(two.get(Shared));
    expect((one.get(Shared) as Shared).clock).to.equal(CLOCK);
  });

  it('lets delay() break a circle', async () => {
    @injectable()
    class Chicken {
      constructor(@inject(delay(() => Egg)) readonly egg: { name: string }) {}
    }
    @injectable()
    class Egg {
      readonly name = 'egg';
      constructor(readonly chicken: Chicken) {}
    }
    const container = await containerOf({ providers: [Chicken, Egg] });
    expect(container.mistakes).to.deep.equal([]);
    expect((container.get(Chicken) as Chicken).egg.name).to.equal('egg');
  });

  it('gives all that is provided for a token, transformed where that is asked for, and nothing where nothing may be', async () => {
    const many = Symbol('many');
    for (const useValue of [1, 2]) globalContainer.register(many, { useValue });
    class Session {}
    class Doubled {
      transform(numbers: number[]): number[] {
        return numbers.map(n => n * 2);
      }
    }
    @injectable()
    class Store {
      constructor(
        @injectAll(many) readonly all: number[],
        @injectAllWithTransform(many, Doubled) readonly doubled: number[],
        @injectAll('nothing', { isOptional: true }) readonly nothing: unknown[],
      ) {}
    }
    @Connection({ listen: 'tcp://127.0.0.1:0' })
    class Handler {
      constructor(@injectAll(Session) readonly sessions: Session[]) {}
    }
    const container = await containerOf({ providers: [Store, { token: Session, useClass: Session, scope: 'connection' }] });
    const handler = container.planConnection(Handler).make(connectionScope()) as Handler;
    expect(container.mistakes).to.deep.equal([]);
    expect(container.get(Store)).to.deep.include({ all: [1, 2], doubled: [2, 4], nothing: [] });
    expect(handler.sessions).to.have.length(1);
    expect(handler.sessions[0]).to.be.instanceOf(Session);
  });

  describe('finds at bootstrap', () => {
    async function mistakesOf(options: ModuleOptions, connection?: Ctor): Promise<string> {
      const container = await containerOf(options);
      if (connection) container.planConnection(connection);
      return container.mistakes.map(m => `${m.where} ${m.member ?? ''}: ${m.wrong}. ${m.remedy}`).join('\n');
    }

    it('a circle, and names its classes', async () => {
      @injectable()
      class C {
        constructor(@inject('b') readonly b: unknown) {}
      }
      @injectable()
      class B {
        constructor(readonly c: C) {}
      }
      expect(await mistakesOf({ providers: [C, { token: 'b', useClass: B }] })).to.match(/depends on itself: (C → B → C|B → C → B)/);
    });

    it('a token that nothing provides, and who needs it', async () => {
      @injectable()
      class Store {
        constructor(@inject('url') readonly url: string) {}
      }
      expect(await mistakesOf({ providers: [Store] })).to.match(/Store constructor, parameter 1: nothing provides 'url'.*providers: \[/);
    });

    it('a class of the language that nothing provides, once, not a mistake for each of its own parameters', async () => {
      @injectable()
      class Store {
        constructor(readonly since: Date) {}
      }
      expect(await mistakesOf({ providers: [Store] })).to.match(/^Store constructor, parameter 1: nothing provides Date\b.*$/);
    });

    it('a singleton that wants the peer, or something that exists per connection', async () => {
      class Session {}
      @injectable()
      class Store {
        constructor(
          readonly peer: FakePeer,
          readonly session: Session,
        ) {}
      }
      const text = await mistakesOf({ providers: [Store, { token: Session, useClass: Session, scope: 'connection' }] });
      expect(text).to.match(/Store.*a Peer exists once per connection/);
      expect(text).to.match(/Session exists once per connection, but Store lives as long as the application/);
    });

    it('a class that nobody lists: built anew for each who asks, it would share nothing', async () => {
      @injectable()
      class Store {}
      @Connection({ listen: 'tcp://127.0.0.1:0' })
      class Handler {
        constructor(readonly store: Store) {}
      }
      expect(await mistakesOf({ connections: [Handler] }, Handler)).to.match(
        /^Handler constructor, parameter 1: nothing provides Store.*providers: \[Store\]$/,
      );
    });

    it('that nothing provides any of what is asked for with @injectAll', async () => {
      class Extra {}
      @injectable()
      class Store {
        constructor(
          @injectAll(Extra) readonly extras: Extra[],
          @injectAll('plugins') readonly plugins: unknown[],
        ) {}
      }
      const text = await mistakesOf({ providers: [Store] });
      expect(text).to.match(/parameter 1: nothing provides Extra.*providers: \[Extra\]/);
      expect(text).to.match(/parameter 2: nothing provides 'plugins'/);
    });

    it('what delay() will find: a class that nobody lists, and one that exists once per connection', async () => {
      class Late {}
      class Session {}
      @injectable()
      class Store {
        constructor(
          @inject(delay(() => Late)) readonly late: object,
          @inject(delay(() => Session)) readonly session: object,
        ) {}
      }
      const text = await mistakesOf({ providers: [Store, { token: Session, useClass: Session, scope: 'connection' }] });
      expect(text).to.match(/Store : nothing provides Late.*providers: \[Late\]/);
      expect(text).to.match(/Store : Session exists once per connection/);
      @Connection({ listen: 'tcp://127.0.0.1:0' })
      class Handler {
        constructor(@inject(delay(() => Late)) readonly late: object) {}
      }
      expect(await mistakesOf({ connections: [Handler] }, Handler)).to.match(/^Handler : nothing provides Late.*$/);
      expect(await mistakesOf({ connections: [Handler], providers: [Late] }, Handler)).to.equal('');
    });

    it('nothing wrong with what may be absent and is, whatever hooks it has', async () => {
      class Extra {
        @OnStart() protected start(): void {}
      }
      @injectable()
      class Store {
        constructor(@inject(Extra, { isOptional: true }) readonly extra?: Extra) {}
      }
      expect(await mistakesOf({ providers: [Store] })).to.equal('');
    });

    it('a worker, or another connection, that is injected as if it were here: what to write instead', async () => {
      @Connection({ listen: 'tcp://127.0.0.1:0' })
      class Other {}
      @Connection({ listen: 'tcp://127.0.0.1:0' })
      class Handler {
        constructor(
          readonly worker: SomeWorker,
          readonly other: Other,
        ) {}
      }
      const text = await mistakesOf({ connections: [Handler, Other], workers: [SomeWorker] }, Handler);
      expect(text).to.match(/parameter 1: nothing provides SomeWorker.*write @InjectWorker\(SomeWorker\)/);
      expect(text).to.match(/parameter 2: nothing provides Other.*let a provider have what they share/);
    });

    it('a class with hooks that nobody lists', async () => {
      class Forgotten {
        @OnStart() protected start(): void {}
      }
      @Connection({ listen: 'tcp://127.0.0.1:0' })
      class Handler {
        constructor(readonly forgotten: Forgotten) {}
      }
      expect(await mistakesOf({ connections: [Handler] }, Handler)).to.match(/nothing provides Forgotten.*providers: \[Forgotten\]$/);
    });

    it('a token of the framework that does not exist in this process', async () => {
      @injectable()
      class Store {
        constructor(@inject(Map) readonly map: unknown) {}
      }
      expect(await mistakesOf({ providers: [Store] })).to.match(/Map exists elsewhere/);
    });
  });
});
