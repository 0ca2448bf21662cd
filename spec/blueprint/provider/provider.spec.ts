import { expect } from 'chai';
import { readProvider, readProxy } from '../../../src/blueprint/index.js';
import { channel } from '../../../src/decorators/injection/channel-token.js';
import { OnChannel, OnConnect, OnData, OnIdle } from '../../../src/decorators/connection/connection-hooks.js';
import { Every, OnStart, OnStop } from '../../../src/decorators/lifecycle.js';
import { Proxy } from '../../../src/decorators/worker/proxy.js';
import type { ProxyCall } from '../../../src/decorators/worker/proxy-types.js';
import { Task } from '../../../src/decorators/worker/task.js';
import { OnWorkerExit, OnWorkerStart } from '../../../src/decorators/worker/worker-hooks.js';
import { Worker } from '../../../src/decorators/worker/worker.js';
import { ProxyBase, told, untyped } from '../kit.js';

const News = channel<string>('news');

@Worker('provider spec: foo')
class Foo {
  @Task() look() {}
}

class Plain {
  look() {}
}

class Watcher {
  @OnStart() protected start() {}
  @OnStop() protected stop() {}
  @Every('1m') protected tick() {}
  @OnChannel(News) protected news(_: string) {}
  @OnWorkerStart(Foo) protected up() {}
  @OnWorkerExit(Foo) protected down() {}
}

@Proxy()
class Front extends ProxyBase<Foo> {
  look(_: undefined, _call: ProxyCall) {}
  @OnData() received(_: unknown) {}
  @Every('1m') protected warm() {}
}

describe('the blueprint of a provider', () => {
  it('has its hooks and timers, and is built at bootstrap because of them', () => {
    const { start, stop, timers, channels, workerStart, workerExit, eager, mistakes } = readProvider(Watcher);
    expect(mistakes).to.deep.equal([]);
    expect({ start, stop, timers, channels, workerStart, workerExit, eager }).to.deep.equal({
      start: ['start'],
      stop: ['stop'],
      timers: [{ kind: 'every', delay: 60_000, key: 'tick' }],
      channels: [{ key: 'news', token: News }],
      workerStart: [{ worker: Foo, key: 'up' }],
      workerExit: [{ worker: Foo, key: 'down' }],
      eager: true,
    });
  });

  it('waits until it is wanted where nothing of it runs by itself', () => {
    expect(readProvider(Plain).eager).to.equal(false);
  });

  it('refuses what belongs to connections', () => {
    class Idle {
      @OnIdle() idle() {}
      @OnConnect() connected() {}
      @OnWorkerStart(untyped(Plain)) up() {}
    }
    expect(told(readProvider(Idle).mistakes)).to.deep.equal([
      'Idle.idle: @OnIdle cannot stand on a provider',
      'Idle.connected: @OnConnect cannot stand on a provider',
      'Idle.up: @OnWorkerStart names Plain, which is not a worker',
    ]);
  });
});

describe('the blueprint of a proxy', () => {
  it('has the mailbox, and the methods that may stand in front of tasks', () => {
    const { mailbox, methods, timers, eager, mistakes } = readProxy(Front);
    expect(mistakes).to.deep.equal([]);
    expect(mailbox.map(route => route.key)).to.deep.equal(['received']);
    expect({ methods, timers, eager }).to.deep.equal({
      methods: ['look'],
      timers: [{ kind: 'every', delay: 60_000, key: 'warm' }],
      eager: true,
    });
  });

  it('inherits from other proxies', () => {
    @Proxy()
    class Special extends Front {
      more() {}
    }
    expect(readProxy(Special).methods).to.deep.equal(['more', 'look']);
  });

  it('is only of a WorkerProxy with @Proxy', () => {
    class Bare extends ProxyBase<Foo> {}
    Proxy()(untyped(Plain));
    expect(told(readProxy(Bare).mistakes)).to.deep.equal(['Bare: it has no @Proxy']);
    expect(told(readProxy(Plain).mistakes)).to.deep.equal(['Plain: it is not a WorkerProxy']);
  });
});
