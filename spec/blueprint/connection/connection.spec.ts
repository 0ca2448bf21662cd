import { expect } from 'chai';
import { z } from 'zod';
import { readConnection, valid } from '../../../src/blueprint/index.js';
import type { TaskContext } from '../../../src/decorators/worker/task-types.js';
import { channel } from '../../../src/decorators/injection/channel-token.js';
import {
  OnChannel,
  OnClose,
  OnConnect,
  OnData,
  OnDrain,
  OnEnd,
  OnError,
  OnExit,
  OnIdle,
  OnRequest,
  OnSecure,
  OnShutdown,
} from '../../../src/decorators/connection/connection-hooks.js';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { After, Every, OnStart } from '../../../src/decorators/lifecycle.js';
import { Task } from '../../../src/decorators/worker/task.js';
import { OnWorkerData, OnWorkerEvent } from '../../../src/decorators/worker/worker-hooks.js';
import { Worker } from '../../../src/decorators/worker/worker.js';
import { ConfigurationError } from '../../../src/errors.js';
import { HERE, told, untyped } from '../kit.js';

const News = channel<string>('news');

@Worker('connection spec: render')
class Render {
  @Task({ events: { progress: z.number() } })
  run(_input: undefined, { emit }: TaskContext<{ progress: number }>) {
    void emit('progress', 1);
  }
}

@Connection({ listen: HERE, idleTimeout: '5s' })
class Whole {
  @OnConnect() connected() {}
  @OnSecure() secured() {}
  @OnDrain() drained() {}
  @OnIdle() idle() {}
  @OnEnd() ended() {}
  @OnExit() exited() {}
  @OnError() failed() {}
  @OnShutdown() closing() {}
  @OnClose() closed() {}
  @OnRequest() requested(): Response {
    return new Response();
  }
  @OnData(z.string()) text(_: string) {}
  @OnData() rest(_: unknown) {}
  @OnWorkerData() answer() {}
  @OnWorkerData(Render, z.number()) number(_: number) {}
  @OnWorkerEvent(Render, 'progress') progress(_: number) {}
  @OnChannel(News) news(_: string) {}
  @Every('30s') protected tick() {}
  @After(5) protected once() {}
}

@Connection({ listen: HERE, idleTimeout: '5s', maxConnections: 3 })
class Base {
  @OnConnect() connected() {}
  @OnData(z.string()) text(_: string) {}
  @OnData() rest(_: unknown) {}
}

@Connection({ idleTimeout: '1m', listen: undefined })
class Derived extends Base {
  @OnConnect() connectedToo() {}
  @OnData(z.number()) number(_: number) {}
  @OnData(z.literal('x')) override text(_: string) {}
}

class Undecorated extends Base {
  override rest() {}
}

describe('the blueprint of a connection', () => {
  it('has every hook under its name', () => {
    const { hooks, mistakes } = readConnection(Whole);
    expect(mistakes).to.deep.equal([]);
    expect(hooks).to.deep.equal({
      connect: ['connected'],
      secure: ['secured'],
      drain: ['drained'],
      idle: ['idle'],
      end: ['ended'],
      exit: ['exited'],
      error: ['failed'],
      shutdown: ['closing'],
      close: ['closed'],
      request: ['requested'],
    });
  });

  it('has routes with validators, in declaration order', () => {
    const { data, workerData, workerEvents, channels } = readConnection(Whole);
    expect(data.map(route => route.key)).to.deep.equal(['text', 'rest']);
    expect(data[0]!.validate!('hello')).to.deep.equal({ value: 'hello' });
    expect(data[0]!.validate!(1).issues).to.have.lengthOf(1);
    expect(data[1]!.validate).to.equal(undefined);
    expect(workerData.map(({ key, worker }) => [key, worker])).to.deep.equal([
      ['answer', undefined],
      ['number', Render],
    ]);
    expect(workerEvents).to.deep.equal([{ key: 'progress', worker: Render, event: 'progress' }]);
    expect(channels).to.deep.equal([{ key: 'news', token: News }]);
  });

  it('has timers in milliseconds', () => {
    expect(readConnection(Whole).timers).to.deep.equal([
      { kind: 'every', delay: 30_000, key: 'tick' },
      { kind: 'after', delay: 5, key: 'once' },
    ]);
  });

  it('has its options without endpoints, and endpoints with the options of the class', () => {
    const { name, cls, options, listen, connect } = readConnection(Whole);
    expect({ name, cls, options }).to.deep.equal({ name: 'Whole', cls: Whole, options: { idleTimeout: '5s' } });
    expect(listen()).to.deep.equal([{ url: HERE, options: { idleTimeout: '5s' } }]);
    expect(connect()).to.deep.equal([]);
  });

  it('is read once', () => {
    expect(readConnection(Whole)).to.equal(readConnection(Whole));
  });

  describe('of a subclass', () => {
    it('inherits options and overrides each; undefined overrides nothing', () => {
      const { options, listen } = readConnection(Derived);
      expect(options).to.deep.equal({ idleTimeout: '1m', maxConnections: 3 });
      expect(listen()).to.deep.equal([{ url: HERE, options }]);
      expect(readConnection(Base).options).to.deep.equal({ idleTimeout: '5s', maxConnections: 3 });
    });

    it('has its own handlers before those of its base, and one that it overrides once', () => {
      const { data, hooks } = readConnection(Derived);
      expect(data.map(route => route.key)).to.deep.equal(['number', 'text', 'rest']);
      expect(data[1]!.validate!('y').issues).to.have.lengthOf(1);
      expect(hooks.connect).to.deep.equal(['connectedToo', 'connected']);
    });

    it('is a connection without a decorator of its own', () => {
      const { mistakes, options, data } = readConnection(Undecorated);
      expect(mistakes).to.deep.equal([]);
      expect(options).to.deep.equal(readConnection(Base).options);
      expect(data.map(route => route.key)).to.deep.equal(['text', 'rest']);
    });
  });
});

describe('the mistakes of a connection', () => {
  it('are options that do not exist, with the one that was meant', () => {
    @Connection(untyped({ idelTimeout: '5s', colour: 'red' }))
    class Typo {}
    const { mistakes } = readConnection(Typo);
    expect(told(mistakes)).to.deep.equal([
      "Typo.@Connection: there is no option 'idelTimeout'",
      "Typo.@Connection: there is no option 'colour'",
    ]);
    expect(mistakes[0]!.remedy).to.equal("write 'idleTimeout'");
    expect(mistakes[1]!.remedy).to.match(/^the options are framing, /);
  });

  it('are values that an option cannot have', () => {
    @Connection(
      untyped({
        idleTimeout: 'soon',
        maxMessageSize: '1 meg',
        framing: {},
        maxConnections: -1,
        whenFull: 'explode',
        allow: '10.0.0.0/8',
        messageTimeout: '30d',
      }),
    )
    class Wrong {}
    expect(told(readConnection(Wrong).mistakes)).to.deep.equal([
      'Wrong.@Connection: idleTimeout is "soon"',
      'Wrong.@Connection: maxMessageSize is "1 meg"',
      'Wrong.@Connection: framing is {}',
      'Wrong.@Connection: maxConnections is -1',
      'Wrong.@Connection: whenFull is "explode"',
      'Wrong.@Connection: allow is "10.0.0.0/8"',
      'Wrong.@Connection: messageTimeout is "30d"',
    ]);
  });

  it('are limits that contradict each other', () => {
    @Connection({ highWaterMark: '1kb', lowWaterMark: '2kb', maxBufferedBytes: 512 })
    class Marks {}
    expect(told(readConnection(Marks).mistakes)).to.deep.equal([
      'Marks.@Connection: lowWaterMark is above highWaterMark (2048 and 1024 bytes)',
      'Marks.@Connection: maxBufferedBytes is below highWaterMark (512 and 1024 bytes)',
    ]);
    @Connection({ highWaterMark: '1kb', maxBufferedBytes: false })
    class Fine {}
    expect(readConnection(Fine).mistakes).to.deep.equal([]);
  });

  it('are hooks of other kinds of class, with what was meant', () => {
    @Connection()
    class Confused {
      @OnStart() begin() {}
      @Task() work() {}
      @OnConnect() static shared() {}
    }
    const { mistakes, hooks } = readConnection(Confused);
    expect(told(mistakes)).to.deep.equal([
      'Confused.begin: @OnStart cannot stand on a @Connection',
      'Confused.work: @Task cannot stand on a @Connection',
      'Confused.shared: @OnConnect is on a static method',
    ]);
    expect(mistakes[0]!.remedy).to.equal('write @OnConnect');
    expect(mistakes[1]!.remedy).to.match(/write @OnData, or move the method to a @Worker/);
    expect(hooks.connect).to.deep.equal([]);
  });

  it('are hooks on what is no method', () => {
    class Property {}
    OnConnect()(Property.prototype, 'missing', {});
    Connection()(Property);
    expect(told(readConnection(Property).mistakes)).to.deep.equal(['Property.missing: @OnConnect is not on a method']);
  });

  it('are workers that are none, and events that nobody declares', () => {
    class NoWorker {
      run() {}
    }
    @Connection()
    class Listener {
      @OnWorkerData(NoWorker) a() {}
      @OnWorkerEvent(Render, 'end' as 'progress') b() {}
      @OnWorkerEvent(untyped(undefined), untyped('x')) c() {}
      @OnChannel(untyped(class {})) d() {}
      @OnData(untyped({ parse: () => 1 })) e() {}
    }
    const { mistakes } = readConnection(Listener);
    expect(told(mistakes)).to.have.members([
      'Listener.a: @OnWorkerData names NoWorker, which is not a worker',
      "Listener.b: Render declares no event 'end'",
      'Listener.c: @OnWorkerEvent names undefined',
      'Listener.d: @OnChannel was not given a channel',
      'Listener.e: what @OnData was given is not a schema',
    ]);
    expect(mistakes.find(({ member }) => member === 'b')!.remedy).to.match(/write one of 'progress'/);
    expect(mistakes.find(({ member }) => member === 'c')!.remedy).to.match(/circle/);
  });

  it('are timers that no timer can keep', () => {
    @Connection()
    class Clock {
      @Every(0) a() {}
      @Every('1 parsec' as '1s') b() {}
      @After('25d') c() {}
      @After(0) d() {}
    }
    const { mistakes, timers } = readConnection(Clock);
    expect(told(mistakes)).to.deep.equal([
      'Clock.a: @Every(0) names no time that a timer can wait',
      'Clock.b: @Every("1 parsec") names no time that a timer can wait',
      'Clock.c: @After("25d") names no time that a timer can wait',
    ]);
    expect(timers).to.deep.equal([{ kind: 'after', delay: 0, key: 'd' }]);
  });

  it('are two class decorators, and none', () => {
    @Connection()
    @Worker('connection spec: both')
    class Both {}
    expect(told(readConnection(Both).mistakes)).to.deep.equal(['Both: it has @Connection and @Worker']);
    expect(told(readConnection(class Nobody {}).mistakes)).to.deep.equal(['Nobody: it is not a connection']);
  });

  it('are thrown all at once by whoever needs it valid', () => {
    @Connection(untyped({ a: 1, b: 2 }))
    class Two {}
    expect(() => valid(readConnection(Two)))
      .to.throw(ConfigurationError, /^2 mistakes:/)
      .with.property('mistakes')
      .with.lengthOf(2);
    expect(valid(readConnection(Whole)).name).to.equal('Whole');
  });
});
