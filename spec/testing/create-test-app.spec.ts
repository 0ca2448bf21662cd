import { expect } from 'chai';
import {
  App,
  Connection,
  Every,
  inject,
  injectable,
  InjectWorker,
  Module,
  OnClose,
  OnConnect,
  OnData,
  OnShutdown,
  OnStart,
  OnStop,
  Reactor,
  Peer,
  Task,
  UsageError,
  Worker,
  type CloseReason,
  type WorkerClient,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { z } from 'zod';
import { createTestApp, ExpectationError } from 'packet-ts/testing';
import { spawnScript } from '../kit/index.js';
import { SmallWorker } from '../fixtures/workers/small.worker.js';

class Greeting {
  text = 'hello';
}

const seen: string[] = [];

@Connection({ listen: 'tcp://127.0.0.1:1', framing: lines() })
class Greeter {
  constructor(
    @inject(Peer) private readonly peer: Peer<string, string>,
    @inject(Greeting) private readonly greeting: Greeting,
    @InjectWorker(SmallWorker) private readonly small: WorkerClient<SmallWorker>,
  ) {}

  @OnConnect() greet(): string {
    return this.greeting.text;
  }

  @OnData() async say(line: string): Promise<string | undefined> {
    if (line === 'bye') return void this.peer.end('bye');
    return this.small.echo(line);
  }

  @OnShutdown() down(): string {
    return 'going down';
  }

  @OnClose() closed({ by }: CloseReason): void {
    seen.push(by);
  }
}

class Ticker {
  static ticks = 0;
  static log: string[] = [];
  @OnStart() protected start(): void {
    Ticker.log.push('start');
  }
  @OnStop() protected stop(): void {
    Ticker.log.push('stop');
  }
  @Every('1m') protected tick(): void {
    Ticker.ticks += 1;
  }
}

@Connection({ framing: lines() })
class Upstream {
  constructor(@inject(Peer) readonly peer: Peer<string, string>) {}
  @OnConnect() hello(): string {
    return 'I am here';
  }
  @OnData() take(line: string): string {
    return `got ${line}`;
  }
}

@Module({ connections: [Greeter], workers: [SmallWorker], providers: [Greeting, Ticker] })
class AppModule {}

describe('createTestApp', function () {
  it('connects scripted peers over memory, without a port', async () => {
    const app = await createTestApp(AppModule).start();
    const client = await app.connect<string, string>(Greeter);
    await client.expect('hello');
    client.send('one');
    await client.expect(/^on/);
    client.send('bye');
    expect(await client.next()).to.equal('bye');
    expect(await client.closed).to.include({ by: 'local' });
    await app.close();
  });

  it('replaces providers', async () => {
    const app = await createTestApp(AppModule).override(Greeting).useValue({ text: 'hi' }).start();
    await using client = await app.connect(Greeter);
    await client.expect('hi');
    await app.close();
  });

  it('replaces what inline workers provide for themselves, too', async () => {
    @injectable()
    class Database {
      constructor(@inject('url of a database') readonly url: string) {}
      find(): string {
        return `from ${this.url}`;
      }
    }
    @Worker('test_app_finder', { timeout: '1s', providers: [Database] })
    class Finder {
      constructor(private readonly database: Database) {}
      @Task({ output: z.string() }) find(): string {
        return this.database.find();
      }
    }
    class Asks {
      constructor(@InjectWorker(Finder) readonly finder: WorkerClient<Finder>) {}
    }
    @Module({ workers: [Finder], providers: [Asks] })
    class FinderModule {}
    const app = await createTestApp(FinderModule)
      .override(Database)
      .useValue({ url: 'memory', find: () => 'from memory' })
      .start();
    expect(await app.get(Asks).finder.find()).to.equal('from memory');
    await app.close();
  });

  it('refuses what is no token', () => {
    expect(() => createTestApp(AppModule).override(undefined as never)).to.throw(UsageError, 'override(): undefined is no token');
  });

  it('replaces what something asks for, provided or not, and what may be looked up while it runs', async () => {
    class Unlisted {
      text = 'unlisted';
    }
    @Connection({ listen: 'tcp://127.0.0.1:1', framing: lines() })
    class Asking {
      constructor(readonly unlisted: Unlisted) {}
      @OnConnect() greet() {
        return this.unlisted.text;
      }
    }
    @Module({ connections: [Asking] })
    class AskingModule {}
    @Module({ providers: [{ token: 'text', useFactory: ({ resolve }) => resolve(Unlisted).text }] })
    class LookingModule {}
    const fake = { text: 'fake' };
    const [asking, looking] = await Promise.all(
      [AskingModule, LookingModule].map(module => createTestApp(module).override(Unlisted).useValue(fake).start()),
    );
    await using client = await asking!.connect(Asking);
    await client.expect('fake');
    expect(looking!.get('text')).to.equal('fake');
    for (const app of [asking, looking]) await app!.close();
  });

  it('takes abstract classes for tokens, and replaces what stands behind them', async () => {
    abstract class Store {
      abstract get(key: string): string;
    }
    class Database extends Store {
      get(): string {
        throw new Error('no database here');
      }
    }
    @Connection({ listen: 'tcp://127.0.0.1:1', framing: lines() })
    class Lookup {
      constructor(private readonly store: Store) {}
      @OnData() look(key: string): string {
        return this.store.get(key);
      }
    }
    @Module({ connections: [Lookup], providers: [{ token: Store, useClass: Database }] })
    class StoreModule {}
    await using app = await createTestApp(StoreModule)
      .override(Store)
      .useValue({ get: key => `${key} from memory` })
      .start();
    await using client = await app.connect(Lookup);
    client.send('a');
    await client.expect('a from memory');
    expect(app.get(Store).get('b')).to.equal('b from memory');
  });

  it('says what arrived instead', async () => {
    const app = await createTestApp(AppModule).start();
    const client = await app.connect(Greeter);
    const error = await client.expect('goodbye').catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(ExpectationError).and.to.have.property('message').that.includes("'hello'");
    const none = await client.next({ within: '20ms' }).catch((thrown: unknown) => thrown);
    expect(none).to.be.instanceOf(ExpectationError).and.to.have.property('message').that.includes('nothing arrived');
    client.destroy();
    expect(await client.closed).to.include({ by: 'peer' });
    await app.close();
  });

  it('reads bytes past the framing', async () => {
    const app = await createTestApp(AppModule).start();
    const client = await app.connect<string, string>(Greeter);
    expect((await client.readUntil('\n')).toString()).to.equal('hello\n');
    client.send('abcdef');
    expect((await client.read(3)).toString()).to.equal('abc');
    expect((await client.readUntil(/f\r?\n/)).toString()).to.equal('def\n');
    client.end();
    expect(await client.closed).to.include({ by: 'peer' });
    await app.close();
  });

  it('moves time by hand, and runs hooks in order', async () => {
    Ticker.ticks = 0;
    Ticker.log = [];
    const app = await createTestApp(AppModule).start({ clock: 'fake' });
    await app.clock.advance('3m');
    expect(Ticker.ticks).to.equal(3);
    const closing = app.close();
    await app.clock.advance('1s');
    expect(await closing).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
    expect(Ticker.log).to.deep.equal(['start', 'stop']);
  });

  it('says goodbye on every connection when it closes', async () => {
    const app = await createTestApp(AppModule).start();
    const client = await app.connect(Greeter);
    await client.expect('hello');
    const closing = app.close();
    await client.expect('going down');
    client.end();
    expect(await client.closed).to.include({ by: 'shutdown' });
    expect((await closing).graceful).to.equal(true);
  });

  it('tells each client how its own connection ended, and not another one', async () => {
    const app = await createTestApp(AppModule).start();
    const [stays, leaves] = [await app.connect(Greeter), await app.connect(Greeter)];
    await stays.expect('hello');
    leaves.destroy();
    expect(await leaves.closed).to.include({ by: 'peer', code: 'ECONNRESET' });
    const closing = app.close();
    await stays.expect('going down');
    stays.end();
    expect(await stays.closed).to.include({ by: 'shutdown' });
    await closing;
  });

  it('accepts the connections that handlers make', async () => {
    const app = await createTestApp(AppModule).start();
    const server = await app.accept('memory:upstream');
    const connected = app.get(Reactor).connect(Upstream, server.url);
    const peer = await server.next({ framing: lines() });
    await peer.expect('I am here');
    peer.send('this');
    await peer.expect('got this');
    expect(await connected).to.be.instanceOf(Upstream);
    expect(app.get(App)).to.equal(app.get(App));
    await app.close();
  });

  it('runs workers as processes where the test asks for it', async () => {
    const app = await createTestApp(AppModule).start({ runtime: 'process' });
    expect(app.workers.status()[0]?.pid).to.not.equal(process.pid);
    expect(app.describe()).to.match(/small_worker/);
    await app.close();
  });

  it('may stand in one file with its workers, whose processes do not start it again', async () => {
    const script = spawnScript(new URL('../fixtures/start/test-in-one-file.js', import.meta.url));
    expect([await script.line(), await script.line()]).to.deep.equal(['started', '42']);
    expect(await script.exit({ within: '5s' })).to.deep.equal({ code: 0, signal: null });
  });
});
