import { expect } from 'chai';
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

  it('is refused before it listens or dials, with what nobody provides', async () => {
    @Module({})
    class Root {}
    await using app = await createTestApp(Root).start();
    for (const use of ['listen', 'connect', 'listen'] as const) {
      const error: unknown = await app.reactor[use](Unlisted, place).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(ConfigurationError);
      expect((error as Error).message).to.match(/Unlisted.constructor, parameter 1: nobody provides Store/);
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
