import { expect } from 'chai';
import { connect } from 'node:net';
import { once } from 'node:events';
import { bootstrap, Connection, Every, Module, OnData, OnShutdown, OnStart, OnStop, spawn, Task, Worker, Workers } from 'packet-ts';
import { z } from 'zod';
import { atEnd } from '../kit/index.js';

/** Answers, and never finishes its shutdown. */
@Connection({ listen: 'tcp://127.0.0.1:0' })
class Clinging {
  @OnData() echo(bytes: Buffer): Buffer {
    return bytes;
  }

  @OnShutdown() never(): Promise<void> {
    return new Promise(() => {});
  }
}

@Worker('clinging', { runtime: 'inline', connections: [Clinging], timeout: '1s', closeTimeout: '50ms' })
class ClingingWorker {
  @Task({ output: z.number() }) one(): number {
    return 1;
  }
}

@Module({ workers: [ClingingWorker] })
class ClingingModule {}

const told: string[] = [];
let ticks = 0;

class Companion {
  @OnStart() protected start(): void {
    told.push('companion started');
  }

  @Every(1) protected tick(): void {
    ticks++;
  }

  @OnStop() protected stop(): void {
    told.push('companion stopped');
  }
}

@Worker('cannot_start', { runtime: 'inline', providers: [Companion], timeout: '1s', restart: { maxFailedStarts: 1 } })
class CannotStart {
  constructor(readonly companion: Companion) {}

  @OnStart() protected async start(): Promise<void> {
    while (ticks === 0) await new Promise(setImmediate);
    throw new Error('it is too early');
  }
}

describe('what an inline worker leaves behind', () => {
  it('is no connection, when it is killed because it does not stop', async () => {
    const app = await bootstrap(ClingingModule, { logger: false, signals: false });
    atEnd(() => app.close({ timeout: '3s' }));
    const client = connect(app.address(Clinging).port);
    client.on('error', () => {});
    client.write('x');
    await once(client, 'data');
    const closed = once(client, 'close');
    const workers = app.get(Workers);
    await workers.stop(workers.get(ClingingWorker)!, {});
    await closed;
  });

  it('is nothing that runs, when it cannot start: what had started is stopped', async () => {
    const error: Error = await spawn(CannotStart, { logger: false }).then(
      () => expect.fail('it cannot start'),
      (reason: Error) => reason,
    );
    expect((error.cause as Error).message).to.include('it is too early');
    expect(told).to.deep.equal(['companion started', 'companion stopped']);
    const before = ticks;
    for (const end = performance.now() + 20; performance.now() < end;) await new Promise(setImmediate);
    expect(ticks).to.equal(before);
  });
});
