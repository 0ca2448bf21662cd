import { expect } from 'chai';
import {
  bootstrap,
  ConfigurationError,
  Connection,
  Module,
  OnClose,
  OnConnect,
  OnData,
  OnError,
  OnExit,
  OnIdle,
  OnStart,
  Task,
  Worker,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import type { Ctor } from '../../../src/decorators/ctor.js';

const GIVEN: readonly unknown[] = [null, 5, 'x', { typo: 1 }, [], () => 1];

/** JavaScript, and TypeScript that nothing checks, may give decorators anything. */
type Any = (...given: readonly unknown[]) => (...target: readonly unknown[]) => void;
const plain = (decorator: unknown): Any => decorator as Any;

async function mistakesOf(module: Ctor): Promise<string> {
  try {
    await using _ = await bootstrap(module, { logger: false, signals: false });
  } catch (error) {
    expect(error).to.be.instanceOf(ConfigurationError);
    return (error as Error).message;
  }
  return '';
}

function moduleOf(options: object): Ctor {
  class AppModule {}
  Module(options)(AppModule);
  return AppModule;
}

describe('decorators that are given anything', () => {
  const hooks = { OnConnect, OnIdle, OnError, OnClose, OnExit };
  for (const [name, hook] of Object.entries(hooks)) {
    it(`take nothing where they are to take nothing, and say so: @${name}`, async () => {
      for (const given of GIVEN) {
        class Line {
          handle(): void {}
          hook(): void {}
        }
        plain(OnData)()(Line.prototype, 'handle');
        plain(hook)(given)(Line.prototype, 'hook');
        Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })(Line);
        expect(await mistakesOf(moduleOf({ connections: [Line] }))).to.contain(`Line.hook: @${name} is given`);
      }
    });
  }

  it('take nothing where they are to take nothing, and say so: @OnRequest and @OnStart', async () => {
    class Web {
      answer(): Response {
        return new Response();
      }
    }
    plain(OnRequest)('/orders')(Web.prototype, 'answer');
    Connection({ listen: 'http://127.0.0.1:0' })(Web);
    class Store {
      open(): void {}
    }
    plain(OnStart)('1s')(Store.prototype, 'open');
    const told = await mistakesOf(moduleOf({ connections: [Web], providers: [Store] }));
    expect(told).to.contain('Web.answer: @OnRequest is given "/orders"').and.to.contain('Store.open: @OnStart is given "1s"');
  });

  it('take options, and say what is none', async () => {
    for (const given of GIVEN) {
      class Crew {
        work(): void {}
      }
      plain(Task)(given)(Crew.prototype, 'work');
      Worker(`crew-${typeof given}`, { runtime: 'inline' })(Crew);
      expect(await mistakesOf(moduleOf({ workers: [Crew] })), `@Task of ${String(given)}`).to.contain('Crew.work: ');

      class Other {
        work(): void {}
      }
      plain(Task)()(Other.prototype, 'work');
      plain(Worker)('other', given)(Other);
      expect(await mistakesOf(moduleOf({ workers: [Other] })), `@Worker of ${String(given)}`).to.contain('Other');

      class Line {
        handle(): void {}
      }
      plain(OnData)()(Line.prototype, 'handle');
      plain(Connection)(given)(Line);
      expect(await mistakesOf(moduleOf({ connections: [Line] })), `@Connection of ${String(given)}`).to.contain('Line');

      class AppModule {}
      plain(Module)(given)(AppModule);
      expect(await mistakesOf(AppModule), `@Module of ${String(given)}`).to.contain('AppModule');
    }
  });

  it('say that their parentheses are missing, which compilers that check no types let pass', () => {
    class Line {
      handle(): void {}
    }
    const descriptor = Object.getOwnPropertyDescriptor(Line.prototype, 'handle');
    for (const [name, decorator] of Object.entries({ OnData, OnConnect, OnStart, OnRequest, Task }))
      expect(() => plain(decorator)(Line.prototype, 'handle', descriptor), name).to.throw(
        ConfigurationError,
        `@${name} on handle has no parentheses`,
      );
  });
});
