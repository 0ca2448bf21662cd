import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import '../../../src/app/hosts.js';
import { z } from 'zod';
import { overrideWorker, readModule, readWorker } from '../../../src/blueprint/index.js';
import { OnConnect, OnData } from '../../../src/decorators/connection/connection-hooks.js';
import { Every, OnStart, OnStop } from '../../../src/decorators/lifecycle.js';
import { Module } from '../../../src/decorators/module.js';
import { Task } from '../../../src/decorators/worker/task.js';
import { Proxy } from '../../../src/decorators/worker/proxy.js';
import { Worker } from '../../../src/decorators/worker/worker.js';
import { OnWorkerStart } from '../../../src/decorators/worker/worker-hooks.js';
import { ProxyBase, told, untyped } from '../kit.js';

@Worker('worker blueprint: plain')
class Plain {}

@Worker('worker blueprint: base', { maxWorkers: 4, timeout: '1s', source: 'file:///base.js' })
class Base {
  @Task({ input: z.string(), output: z.string(), idempotent: true })
  evaluate(source: string): string {
    return source;
  }
  @Task({ yields: z.number(), receives: z.string(), events: { progress: z.number() }, timeout: false, softTimeout: '500ms' })
  async *count() {
    yield 1;
  }
  @Task({ input: z.string(), idempotent: true, retries: 3 })
  again(_: string) {}
  helper() {}
  then() {}
  @OnData(z.string()) protected mail(_: string) {}
  @OnStart() protected start() {}
  @OnStop() protected stop() {}
  @Every('1s') protected tick() {}
}

@Worker('worker blueprint: derived', { timeout: '2s' })
class Derived extends Base {
  @Task({ output: z.number() })
  more() {
    return 1;
  }
}

class Heir extends Base {}

@Proxy()
class Front extends ProxyBase<Plain> {}

describe('the blueprint of a worker', () => {
  it('fills in every default', () => {
    const { settings, written, mistakes } = readWorker(Plain);
    expect(mistakes).to.deep.equal([]);
    expect([...written]).to.deep.equal([]);
    expect(settings).to.deep.equal({
      autoLoad: true,
      minWorkers: 1,
      maxWorkers: 1,
      spare: 0,
      idleTimeout: 60_000,
      concurrency: 1,
      prefetch: 'auto',
      maxQueue: 10_000,
      maxQueueBytes: 256 * 1024 ** 2,
      maxQueuePerCaller: undefined,
      queueTimeout: undefined,
      timeout: 0,
      softTimeout: 0,
      cancelGrace: 5_000,
      startTimeout: 30_000,
      closeTimeout: 10_000,
      drainTimeout: 300_000,
      stallTimeout: 30_000,
      waitForHost: 5_000,
      maxMessageSize: 16 * 1024 ** 2,
      runtime: 'process',
      accept: 'master',
      restart: { maxFailedStarts: 5, within: 10_000, delay: 100, maxDelay: 10_000 },
      heartbeat: { every: 5_000, grace: 15_000 },
      maxTasksPerWorker: 0,
      maxMemory: 0,
      resourceLimits: {},
      execArgv: [],
      argv: [],
      cwd: undefined,
      env: undefined,
      uid: undefined,
      gid: undefined,
      permissions: undefined,
      validate: 'receiver',
    });
  });

  it("takes as many processes as there are cores for maxWorkers: 'cores', and never fewer than the other numbers ask for", () => {
    @Worker('as_many_as_cores', { maxWorkers: 'cores' })
    class Cores {}
    @Worker('more_than_cores', { maxWorkers: 'cores', minWorkers: 1000 })
    class More {}
    expect(readWorker(Cores).settings.maxWorkers).to.equal(availableParallelism());
    expect(readWorker(More).settings.maxWorkers).to.equal(1000);
    expect(readWorker(More).mistakes).to.deep.equal([]);
  });

  it('has durations in milliseconds, sizes in bytes, and 0 for what is switched off', () => {
    @Worker('worker blueprint: units', {
      maxMemory: '256mb',
      timeout: '1s',
      maxQueue: false,
      heartbeat: false,
      restart: { within: '1m' },
      queueTimeout: 0,
    })
    class Units {}
    expect(readWorker(Units).settings).to.deep.include({
      maxMemory: 256 * 1024 ** 2,
      timeout: 1_000,
      maxQueue: 0,
      heartbeat: false,
      restart: { maxFailedStarts: 5, within: 60_000, delay: 100, maxDelay: 10_000 },
      queueTimeout: 0,
    });
  });

  it('knows its tasks by name', () => {
    const { tasks } = readWorker(Base);
    expect([...tasks.keys()]).to.deep.equal(['evaluate', 'count', 'again']);
    expect(tasks.get('evaluate')).to.deep.include({
      name: 'evaluate',
      idempotent: true,
      retries: 1,
      timeout: undefined,
      yields: undefined,
    });
    expect(tasks.get('evaluate')!.input!(1).issues).to.have.lengthOf(1);
    expect(tasks.get('count')).to.deep.include({
      idempotent: false,
      retries: 0,
      timeout: 0,
      softTimeout: 500,
      input: undefined,
      output: undefined,
    });
    expect([...tasks.get('count')!.events.keys()]).to.deep.equal(['progress']);
    expect(tasks.get('again')).to.deep.include({ retries: 3 });
  });

  it('knows what else could be called by mistake', () => {
    expect(readWorker(Base).others).to.include('helper').and.not.to.include('evaluate');
    expect(readWorker(Base).others, 'a client with then() would be awaited as a promise').not.to.include('then');
  });

  it('has mailbox, hooks and timers', () => {
    const { mailbox, start, stop, timers } = readWorker(Base);
    expect(mailbox.map(route => route.key)).to.deep.equal(['mail']);
    expect({ start, stop, timers }).to.deep.equal({
      start: ['start'],
      stop: ['stop'],
      timers: [{ kind: 'every', delay: 1_000, key: 'tick' }],
    });
  });

  it('inherits tasks, hooks and options, but neither name nor module', () => {
    const { name, source, settings, tasks, start } = readWorker(Derived);
    expect(name).to.equal('worker blueprint: derived');
    expect(source).to.deep.equal({ url: import.meta.url, sure: true });
    expect(settings).to.deep.include({ maxWorkers: 4, timeout: 2_000 });
    expect([...tasks.keys()]).to.deep.equal(['more', 'evaluate', 'count', 'again']);
    expect(start).to.deep.equal(['start']);
  });

  it('tells a proxy class from a function that returns it, and calls the function only when asked', () => {
    let calls = 0;
    @Worker('worker blueprint: proxied', { proxy: Front })
    class Proxied extends Plain {}
    @Worker('worker blueprint: thunk', { proxy: () => ((calls += 1), Front) })
    class Thunk extends Plain {}
    @Worker('worker blueprint: function', {
      proxy: function () {
        return Front;
      },
    })
    class Old extends Plain {}
    expect(readWorker(Plain).proxy()).to.equal(undefined);
    expect(readWorker(Proxied).proxy()).to.equal(Front);
    expect(readWorker(Thunk).mistakes).to.deep.equal([]);
    expect(calls).to.equal(0);
    expect(readWorker(Thunk).proxy()).to.equal(Front);
    expect(readWorker(Old).proxy()).to.equal(Front);
  });

  it('may be read as if the decorator said something else', () => {
    const { settings, written, mistakes } = overrideWorker(Base, { maxWorkers: 8, runtime: 'inline', timeout: undefined });
    expect(mistakes).to.deep.equal([]);
    expect(settings).to.deep.include({ maxWorkers: 8, runtime: 'inline', timeout: 1_000 });
    expect([...written]).to.deep.equal(['maxWorkers', 'timeout', 'source']);
    expect(told(overrideWorker(Base, untyped({ maxWorker: 8, minWorkers: 9 })).mistakes)).to.deep.equal([
      "Base.options: there is no option 'maxWorker'",
      'Base.@Worker: minWorkers (9) is above maxWorkers (4)',
    ]);
  });
});

describe('the mistakes of a worker', () => {
  it('are a missing name, a missing decorator, and one that only the base has', () => {
    @Worker('')
    class Nameless {}
    expect(told(readWorker(Nameless).mistakes)).to.deep.equal(['Nameless.@Worker: its name is ""']);
    expect(told(readWorker(class Nobody {}).mistakes)).to.deep.equal(['Nobody: it is not a worker']);
    expect(told(readWorker(Heir).mistakes)).to.deep.equal(['Heir: only its base class is a worker']);
  });

  it('are numbers that contradict each other', () => {
    @Worker('worker blueprint: numbers', {
      minWorkers: 3,
      maxWorkers: 2,
      timeout: '1s',
      softTimeout: '1s',
      maxQueue: 10,
      maxQueuePerCaller: 11,
      uid: 1000,
      restart: { delay: '1m' },
    })
    class Numbers {}
    expect(told(readWorker(Numbers).mistakes)).to.deep.equal([
      'Numbers.@Worker: minWorkers (3) is above maxWorkers (2)',
      'Numbers.@Worker: uid is written without gid',
      'Numbers.@Worker: softTimeout (1000 ms) is not below timeout (1000 ms)',
      'Numbers.@Worker: maxQueuePerCaller (11) is above maxQueue (10)',
      'Numbers.@Worker: restart.delay (60000 ms) is above restart.maxDelay (10000 ms)',
    ]);
  });

  it('are options that a written runtime cannot keep, each by name', () => {
    @Worker('worker blueprint: inline', { runtime: 'inline', env: {}, maxMemory: '1mb', cwd: '/', timeout: '1s', resourceLimits: {} })
    class Inline {}
    expect(told(readWorker(Inline).mistakes)).to.deep.equal([
      "Inline.@Worker: runtime 'inline' cannot keep resourceLimits",
      "Inline.@Worker: runtime 'inline' cannot keep env",
      "Inline.@Worker: runtime 'inline' cannot keep cwd",
      "Inline.@Worker: runtime 'inline' cannot keep maxMemory",
    ]);
    @Worker('worker blueprint: thread', {
      runtime: 'thread',
      env: {},
      resourceLimits: {},
      maxMemory: '1mb',
      cwd: '/',
      uid: 1,
      gid: 1,
      permissions: {},
      accept: 'shared',
      heartbeat: { every: '1s', grace: '2s' },
    })
    class Thread {}
    expect(told(readWorker(Thread).mistakes)).to.deep.equal([
      "Thread.@Worker: runtime 'thread' cannot keep uid",
      "Thread.@Worker: runtime 'thread' cannot keep gid",
      "Thread.@Worker: runtime 'thread' cannot keep permissions",
      "Thread.@Worker: runtime 'thread' cannot keep cwd",
      "Thread.@Worker: runtime 'thread' cannot keep maxMemory",
      "Thread.@Worker: runtime 'thread' cannot keep accept: 'shared'",
    ]);
    @Worker('worker blueprint: chosen', { env: {} })
    class Chosen {}
    expect(overrideWorker(Chosen, { runtime: 'inline' }).mistakes, 'chosen elsewhere it is ignored').to.deep.equal([]);
  });

  it('are tasks that cannot be called, or whose options mean nothing', () => {
    const symbol = Symbol('task');
    class Tasks {
      then() {}
      both() {}
      again() {}
      soft() {}
      schema() {}
      event() {}
      [symbol]() {}
    }
    const task = Task as unknown as (options?: object) => (target: object, key: PropertyKey) => void;
    task()(Tasks.prototype, 'then');
    task({ output: z.string(), yields: z.string() })(Tasks.prototype, 'both');
    task({ retries: 2 })(Tasks.prototype, 'again');
    task({ timeout: '1s', softTimeout: '2s' })(Tasks.prototype, 'soft');
    task({ input: String })(Tasks.prototype, 'schema');
    task({ events: { progress: 1 } })(Tasks.prototype, 'event');
    task()(Tasks.prototype, symbol);
    Worker('worker blueprint: tasks')(Tasks);
    expect(told(readWorker(Tasks).mistakes)).to.deep.equal([
      "Tasks.then: 'then' cannot be the name of a task",
      'Tasks.both: it has both `output` and `yields`',
      'Tasks.again: `retries` without `idempotent: true`',
      'Tasks.soft: softTimeout (2000 ms) is not below timeout (1000 ms)',
      'Tasks.schema: input is the function String',
      "Tasks.event: the event 'progress' is not a schema",
      'Tasks.Symbol(task): @Task is on a method without a plain name',
    ]);
  });

  it('are hooks of other kinds of class', () => {
    @Worker('worker blueprint: hooks')
    class Hooks {
      @OnConnect() connected() {}
      @OnWorkerStart(Plain) started() {}
    }
    const { mistakes } = readWorker(Hooks);
    expect(told(mistakes)).to.deep.equal([
      'Hooks.connected: @OnConnect cannot stand on a @Worker',
      'Hooks.started: @OnWorkerStart cannot stand on a @Worker',
    ]);
    expect(mistakes[0]!.remedy).to.match(/@OnStart/);
    expect(mistakes[1]!.remedy).to.equal('it belongs on a provider or a @Proxy');
  });

  it('are start options that are no schema, or required where nobody gives any', async () => {
    @Worker('worker blueprint: no schema', untyped({ startOptions: { quality: 'number' } }))
    class NoSchema {}
    @Worker('worker blueprint: required', { startOptions: z.object({ quality: z.number() }) })
    class Required {}
    @Worker('worker blueprint: later', { autoLoad: false, startOptions: z.object({ quality: z.number() }) })
    class Later {}
    expect(told(readWorker(NoSchema).mistakes)).to.deep.equal(['NoSchema.@Worker: startOptions is {"quality":"number"}']);
    @Module({ workers: [Required, Later] })
    class Application {}
    expect(told((await readModule(Application)).mistakes)).to.deep.equal([
      'Required.@Worker: startOptions are required, but it starts at bootstrap without any',
    ]);
    // Whoever reads the class alone does not know how it will be started.
    expect(readWorker(Required).mistakes).to.deep.equal([]);
    expect(readWorker(Later).startOptions!({ quality: 1 })).to.deep.equal({ value: { quality: 1 } });
  });

  it('are a source that is no file', () => {
    @Worker('worker blueprint: source', { source: './worker.js' })
    class Relative {}
    expect(told(readWorker(Relative).mistakes)).to.deep.equal(["Relative.@Worker: source is './worker.js'"]);
  });
});
