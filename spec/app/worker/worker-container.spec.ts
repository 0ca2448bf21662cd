import { expect } from 'chai';
import { App, Connection, inject, injectable, Master, Module, OnData, spawn, Task, Worker, Workers } from '../../../src/index.js';
import { lines } from '../../../src/framing/index.js';
import type { Ctor } from '../../../src/blueprint/index.js';
import { createTestApp } from '../../../src/testing/index.js';
import { PreloadedWorker } from '../../fixtures/start/preloaded.worker.js';

/** What `bootstrap()` says of an application with this worker. */
async function mistakesOf(worker: Ctor): Promise<string> {
  @Module({ workers: [worker] })
  class Root {}
  const app = await createTestApp(Root)
    .start({ runtime: 'process' })
    .catch((error: Error) => error);
  if (!(app instanceof Error)) {
    await app.close();
    return '';
  }
  expect(app).to.have.property('code', 'ERR_PACKET_CONFIGURATION');
  return app.message;
}

describe('what a worker cannot build', () => {
  it('is told before any process starts, all of it at once', async () => {
    class Store {}
    @Worker('told_worker', { timeout: '1s' })
    class Told {
      constructor(
        readonly app: App,
        readonly workers: Workers,
        readonly store: Store,
        @inject('url') readonly url: string,
        readonly master: Master,
      ) {}
      @Task() work(): void {}
    }
    const text = await mistakesOf(Told);
    expect(text).to.match(/Told.*App exists in the master only/);
    expect(text).to.match(/Told.*Workers exists in the master only/);
    expect(text).to.match(/Told.constructor, parameter 3: nothing provides Store.*providers: \[Store\]/);
    expect(text).to.match(/Told.constructor, parameter 4: nothing provides 'url'/);
    expect(text).not.to.match(/Master/);
  });

  it('is told of its providers and its connections, too', async () => {
    @injectable()
    class Store {
      constructor(readonly workers: Workers) {}
    }
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Inside {
      constructor(@inject('name') readonly name: string) {}
      @OnData() echo(line: string): string {
        return line;
      }
    }
    @Worker('deep_worker', { timeout: '1s', connections: [Inside], providers: [Store] })
    class Deep {
      constructor(readonly store: Store) {}
      @Task() work(): void {}
    }
    const text = await mistakesOf(Deep);
    expect(text).to.match(/Store.*Workers exists in the master only/);
    expect(text).to.match(/Inside.constructor, parameter 1: nothing provides 'name'/);
  });

  it('is not what its own providers, itself and its master are', async () => {
    class Store {}
    @Worker('content_worker', { timeout: '1s', providers: [Store], source: import.meta.url })
    class Content {
      constructor(
        readonly store: Store,
        readonly master: Master,
      ) {}
      @Task() work(): void {}
    }
    @Module({ workers: [Content] })
    class Root {}
    const app = await createTestApp(Root).start({ runtime: 'inline' });
    expect(app.workers.status()).to.have.length(1);
    await app.close();
  });

  it('is not what its process loads first provides, of which the master knows nothing', async () => {
    @Module({ workers: [PreloadedWorker] })
    class Root {}
    await using app = await createTestApp(Root).start({ runtime: 'process' });
    expect(app.workers.status()).to.have.length(1);
  });

  it('is told by a process that loads something first when it starts', async () => {
    const error: unknown = await spawn(PreloadedWorker, { execArgv: ['--import', 'data:text/javascript,'], logger: false }).catch(
      (reason: unknown) => reason,
    );
    expect(String((error as Error).cause)).to.match(/PreloadedWorker.constructor, parameter 1: nothing provides 'preloaded'/);
  });
});
