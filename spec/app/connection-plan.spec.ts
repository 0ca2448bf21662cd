import { expect } from 'chai';
import 'reflect-metadata';
import { singleton } from 'tsyringe';
import { ConfigurationError, Connection, Module, OnData } from '../../src/index.js';
import { lines } from '../../src/framing/index.js';
import { createTestApp } from '../../src/testing/index.js';

describe('a connection that no module lists', () => {
  class Store {}
  @Connection({ framing: lines() })
  class Unlisted {
    constructor(readonly store: Store) {}
    @OnData() echo(line: string): string {
      return line;
    }
  }
  const place = 'memory:connection-plan';

  it('is refused before it listens or dials, with what nothing provides', async () => {
    @Module({})
    class Root {}
    await using app = await createTestApp(Root).start();
    for (const use of ['listen', 'connect', 'listen'] as const) {
      const error: unknown = await app.reactor[use](Unlisted, place).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(ConfigurationError);
      expect((error as Error).message).to.match(/Unlisted.constructor, parameter 1: nothing provides Store/);
    }
  });

  it('is refused as often as it is tried, also for what a class of tsyringe’s that it shares asks for', async () => {
    @singleton()
    class Shared {
      constructor(readonly store: Store) {}
    }
    @Connection({ framing: lines() })
    class Sharing {
      constructor(readonly shared: Shared) {}
    }
    @Module({})
    class Root {}
    await using app = await createTestApp(Root).start();
    for (let i = 0; i < 2; i++) {
      const error: unknown = await app.reactor.listen(Sharing, place).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(ConfigurationError);
      expect((error as Error).message).to.match(/Shared.constructor, parameter 1: nothing provides Store/);
      expect(() => app.get(Shared)).to.throw(ConfigurationError, /Shared.constructor, parameter 1: nothing provides Store/);
    }
  });

  it('is given what the application provides', async () => {
    @Module({ providers: [Store] })
    class Root {}
    await using app = await createTestApp(Root).start();
    await app.reactor.listen(Unlisted, place);
    expect((await app.reactor.connect(Unlisted, place)).store).to.equal(app.get(Store));
  });
});
