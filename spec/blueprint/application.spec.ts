import 'reflect-metadata';
import { expect } from 'chai';
import { inject, injectable } from 'tsyringe';
import { z } from 'zod';
import { readModule, readWorkerScope, readWorker, refuse } from '../../src/blueprint/index.js';
import { channel } from '../../src/decorators/injection/channel-token.js';
import type { WorkerClient } from '../../src/decorators/worker/client-types.js';
import { OnConnect, OnData } from '../../src/decorators/connection/connection-hooks.js';
import { Connection } from '../../src/decorators/connection/connection.js';
import { InjectOptions, InjectWorker } from '../../src/decorators/injection/inject.js';
import { OnStart } from '../../src/decorators/lifecycle.js';
import { Module } from '../../src/decorators/module.js';
import { Proxy } from '../../src/decorators/worker/proxy.js';
import { Task } from '../../src/decorators/worker/task.js';
import { Worker } from '../../src/decorators/worker/worker.js';
import { ConfigurationError } from '../../src/errors.js';
import { BAD, HERE, ProxyBase, told, untyped } from './kit.js';

class Store {}

@Worker('application spec: eval')
class Eval {
  @Task({ input: z.string(), output: z.string() })
  evaluate(source: string): string {
    return source;
  }
}

@Connection({ listen: HERE })
class Echo {
  constructor(
    readonly store: Store,
    @InjectWorker(Eval) readonly evaluator: WorkerClient<Eval>,
    @InjectWorker('application spec: eval') readonly byName: WorkerClient<Eval>,
  ) {}
  @OnData() echo(line: string) {
    return line;
  }
}

@Module({ providers: [Store] })
class Stores {}

@Module({
  imports: [Stores],
  connections: [Echo],
  workers: [Eval],
  providers: [Store, { token: 'config', useValue: 1 }, { token: 'made', useFactory: () => 2, scope: 'connection' }],
})
class App {}

@Connection()
class Silent {}

@Proxy()
class Front extends ProxyBase<Eval> {}

/** A module of one list, read. */
async function read(options: object) {
  @Module(untyped(options))
  class Test {}
  const reading = await readModule(Test);
  return { ...reading, told: told(reading.mistakes) };
}

describe('the blueprint of an application', () => {
  it('has everything that its modules list, flat, each once', async () => {
    const { app, mistakes } = await readModule(App);
    expect(mistakes).to.deep.equal([]);
    expect(app.connections.map(({ cls }) => cls)).to.deep.equal([Echo]);
    expect(app.workers.map(({ cls }) => cls)).to.deep.equal([Eval]);
    expect(app.providers.map(({ token, kind, scope }) => [token, kind, scope])).to.deep.equal([
      [Store, 'class', 'app'],
      ['config', 'value', 'app'],
      ['made', 'factory', 'connection'],
    ]);
  });

  it('does not run in circles where modules import each other', async () => {
    const imports: unknown[] = [];
    @Module(untyped({ imports, workers: [Eval] }))
    class One {}
    @Module({ imports: [One] })
    class Two {}
    imports.push(Two);
    const { app, mistakes } = await readModule(Two);
    expect(mistakes).to.deep.equal([]);
    expect(app.workers).to.have.lengthOf(1);
  });

  it('calls endpoint functions once, at bootstrap', async () => {
    let calls = 0;
    @Connection({ listen: () => ((calls += 1), HERE) })
    class Counted {}
    const { app } = await read({ connections: [Counted] });
    expect(app.connections[0]!.listen()).to.deep.equal([{ url: HERE, options: {} }]);
    expect(app.connections[0]!.listen()).to.equal(app.connections[0]!.listen());
    expect(calls).to.equal(1);
    await read({ connections: [Counted] });
    expect(calls, 'another application asks anew').to.equal(2);
  });

  it('lets bootstrap replace the endpoints of a class', async () => {
    @Module({ connections: [Silent] })
    class Test {}
    const { app, mistakes } = await readModule(Test, { listen: new Map([[Silent, { url: HERE, backlog: 5 }]]) });
    expect(mistakes).to.deep.equal([]);
    expect(app.connections[0]!.listen()).to.deep.equal([{ url: HERE, options: { backlog: 5 } }]);
    const wrong = await readModule(Test, { listen: new Map([[Silent, BAD]]) });
    expect(told(wrong.mistakes)).to.deep.equal(["Silent.listen: 'spec:bad': it is bad"]);
  });

  it('takes what was mounted, and lets the class that was made for it listen', async () => {
    @Connection({ listen: HERE })
    class Made {}
    const mounted = { __mounted: true, handler: Made, start: () => Promise.reject(new Error('not here')) };
    const { app, mistakes } = await read({ connections: [mounted] });
    expect(mistakes).to.deep.equal([]);
    expect(app.mounted).to.deep.equal([mounted]);
    expect(app.connections.map(({ cls }) => cls)).to.deep.equal([Made]);
  });
});

describe('the mistakes of an application', () => {
  it('are told all at once', async () => {
    const { mistakes } = await read({ connections: [Silent, Store], workers: [Echo], providers: [App], colour: 'red' });
    expect(() => refuse([...mistakes, ...mistakes]))
      .to.throw(ConfigurationError)
      .with.property('mistakes')
      .with.lengthOf(mistakes.length);
    expect(mistakes).to.have.lengthOf(5);
  });

  it('are classes in the wrong list, and undefined ones', async () => {
    class NoModule {}
    const { told, mistakes } = await read({
      imports: [NoModule, undefined],
      connections: [Store, undefined],
      workers: [Echo, undefined],
      providers: [Echo, Eval, Front, App, undefined],
    });
    expect(told).to.deep.equal([
      'Test.imports: it lists NoModule, which is no module',
      'Test.imports: it lists undefined, which is no module',
      'Test.connections: it lists Store, which has no @Connection',
      'Test.connections: it lists undefined',
      'Test.workers: it lists Echo, which has no @Worker',
      'Test.workers: it lists undefined',
      'Test.providers: Echo is a connection',
      'Test.providers: Eval is a worker',
      'Test.providers: Front is a proxy',
      'Test.providers: App is a module',
      'Test.providers: it lists undefined',
    ]);
    expect(mistakes[1]!.remedy).to.match(/circle/);
    expect(mistakes[7]!.remedy).to.equal('list it in `workers`');
  });

  it('are a root that is no module, and hooks on a module', async () => {
    expect(told((await readModule(Store)).mistakes)).to.deep.equal(['Store: it is no module']);
    @Module()
    class Hooked {
      @OnStart() start() {}
    }
    expect(told((await readModule(Hooked)).mistakes)).to.deep.equal(['Hooked.start: @OnStart cannot stand on a @Module']);
  });

  it('are the same class twice in a list, and two workers of one name', async () => {
    @Worker('application spec: eval')
    class Twin {}
    const { told } = await read({ connections: [Echo, Echo], workers: [Eval, Eval, Twin], providers: [Store, Store] });
    expect(told).to.deep.equal([
      'Test.connections: it lists Echo twice',
      'Test.workers: it lists Eval twice',
      'Test.providers: it lists Store twice',
      "Twin.@Worker: its name 'application spec: eval' is also that of Eval",
    ]);
  });

  it('are not channels among the providers: they need no listing, and listing them harms nothing', async () => {
    const { told, mistakes } = await read({ connections: [Echo], workers: [Eval], providers: [Store, channel('spec')] });
    expect(told).to.deep.equal([]);
    expect(mistakes).to.deep.equal([]);
  });

  it('are connections that neither listen nor connect; a function may return none', async () => {
    @Connection({ listen: () => [] })
    class Disabled {}
    expect((await read({ connections: [Silent, Disabled] })).told).to.deep.equal(['Silent: it neither listens nor connects']);
  });

  it('are those of every class that it lists', async () => {
    @Connection({ listen: BAD })
    class Wrong {
      @OnStart() start() {}
    }
    class Provider {
      @OnConnect() connected() {}
    }
    expect((await read({ connections: [Wrong], providers: [Provider] })).told).to.deep.equal([
      'Wrong.start: @OnStart cannot stand on a @Connection',
      "Wrong.listen: 'spec:bad': it is bad",
      'Provider.connected: @OnConnect cannot stand on a provider',
    ]);
  });

  it('are providers that say no or several ways, or the same token differently', async () => {
    const { told } = await read({
      imports: [Stores],
      providers: [
        { token: 'a', useValue: 1 },
        { token: 'a', useValue: 2 },
        { token: 'b' },
        { token: 'c', useValue: 1, useFactory: () => 1 },
        { token: 'd', useClass: undefined },
        { token: 'e', useFactory: 5 },
        { token: 'f', useValue: 1, scope: 'connection' },
        { token: 'g', useFactory: () => 1, scope: 'request' },
        { useValue: 1 },
        { token: 'h', useValue: 1, lazy: true },
        { token: Store, useClass: Store },
        { token: 'undefined is a value', useValue: undefined },
      ],
    });
    expect(told).to.deep.equal([
      "Test.providers: the provider of 'b' says not how it is made",
      "Test.providers: the provider of 'c' has useValue and useFactory",
      "Test.providers: useClass of 'd' is undefined",
      "Test.providers: useFactory of 'e' is no function",
      "Test.providers: 'f' is one value, and cannot be one per connection",
      'Test.providers: the scope of \'g\' is "request"',
      'Test.providers: a provider has no token',
      "Test.providers: the provider of 'h' has a field 'lazy'",
      "Test.providers: 'a' is provided twice, differently",
    ]);
  });

  it('are clients of workers that it does not have, and start options outside of workers', async () => {
    @injectable()
    class Asker {
      constructor(
        @InjectWorker('nobody') readonly a: unknown,
        @InjectWorker(untyped(Store)) readonly b: unknown,
        @InjectWorker(Eval) readonly c: unknown,
        @InjectWorker(untyped(undefined)) readonly d: unknown,
        @InjectOptions() readonly e: unknown,
        @inject('x') readonly f: unknown,
      ) {}
    }
    @Worker('application spec: other')
    class Other {}
    const { told, mistakes } = await read({ workers: [Other], providers: [Asker] });
    expect(told).to.have.members([
      "Asker.constructor, parameter 1: no worker of this application is named 'nobody'",
      'Asker.constructor, parameter 2: @InjectWorker names Store, which is not a worker',
      'Asker.constructor, parameter 3: @InjectWorker names Eval, which is no worker of this application',
      'Asker.constructor, parameter 4: @InjectWorker names undefined',
      'Asker.constructor, parameter 5: @InjectOptions exists in workers only',
    ]);
    expect(mistakes.find(({ wrong }) => wrong.includes('nobody'))!.remedy).to.match(/its workers are 'application spec: other'/);
  });

  it('are proxies that are none', async () => {
    class Bare extends ProxyBase<Eval> {}
    const worker = (name: string, proxy: unknown): unknown => {
      @Worker(`application spec: ${name}`, untyped({ proxy }))
      class Proxied {}
      return Proxied;
    };
    const throwing = (): never => {
      throw new RangeError('not yet');
    };
    const { told } = await read({
      workers: [
        worker('good', () => Front),
        worker('bare', Bare),
        worker('store', () => Store),
        worker('empty', () => undefined),
        worker('throwing', throwing),
      ],
    });
    expect(told).to.deep.equal([
      'Bare: it has no @Proxy',
      'Store: it has no @Proxy',
      'Store: it is not a WorkerProxy',
      'Proxied.@Worker: `proxy` gives undefined',
      'Proxied.@Worker: the function in `proxy` threw RangeError: not yet',
    ]);
  });
});

describe('what lives inside a worker', () => {
  @Connection({ listen: HERE })
  class Inner {
    constructor(@InjectWorker('application spec: eval') readonly evaluator: WorkerClient<Eval>) {}
  }
  @Connection({ listen: 'udp://127.0.0.1:0' })
  class Datagrams {}
  @Connection()
  class Moved {}

  @Worker('application spec: edge', {
    maxWorkers: 2,
    connections: [Inner, Moved],
    imports: [Stores],
    providers: [{ token: 'x', useValue: 1 }],
  })
  class Edge {}

  it('is flat, too', async () => {
    const inside = await readWorkerScope(readWorker(Edge));
    expect(inside.mistakes, 'a connection may wait for what is handed to it').to.deep.equal([]);
    expect(inside.connections.map(({ cls }) => cls)).to.deep.equal([Inner, Moved]);
    expect(inside.providers.map(({ token }) => token)).to.deep.equal([Store, 'x']);
  });

  it('is checked with the application', async () => {
    const { told } = await read({ workers: [Edge] });
    expect(told).to.deep.equal(["Inner.constructor, parameter 1: no worker of this application is named 'application spec: eval'"]);
    expect((await read({ workers: [Edge, Eval] })).told).to.deep.equal([]);
  });

  it('cannot share a datagram socket between processes', async () => {
    @Worker('application spec: datagrams', { maxWorkers: 2, connections: [Datagrams] })
    class Many {}
    @Worker('application spec: datagram', { connections: [Datagrams] })
    class One {}
    const shared = 'Many.connections: Datagrams listens on udp, and maxWorkers is 2';
    expect((await read({ workers: [Many] })).told).to.include(shared);
    expect((await read({ workers: [One] })).told).not.to.include(shared);
  });
});
