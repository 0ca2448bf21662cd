import {
  bootstrap,
  Connection,
  InjectWorker,
  Module,
  OnData,
  OnError,
  Worker,
  type AdminOptions,
  type App,
  type WorkerClient,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { Desk } from '../../fixtures/workers/admin.worker.js';
import { atEnd } from '../../kit/index.js';

/** A connection that does what its line says. */
@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
export class Counter {
  constructor(@InjectWorker(Desk) protected readonly desk: WorkerClient<Desk>) {}

  @OnData() async say(line: string): Promise<string> {
    if (line === 'pid') return String(await this.desk.pid());
    if (line === 'crash') await this.desk.crash();
    if (line === 'wait') await this.desk.wait(undefined);
    if (line === 'fail') throw new RangeError('failed on purpose');
    return line;
  }

  @OnError() explain(error: Error): string {
    return error.name;
  }
}

@Module({ connections: [Counter], workers: [Desk] })
class CounterModule {}

/** The worker in this process, for pages that are not about processes. */
@Worker('desk', { minWorkers: 2, maxWorkers: 3, timeout: '1m', runtime: 'inline' })
class InlineDesk extends Desk {}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
export class InlineCounter extends Counter {
  constructor(@InjectWorker(InlineDesk) desk: WorkerClient<Desk>) {
    super(desk);
  }
}

@Module({ connections: [InlineCounter], workers: [InlineDesk] })
class InlineModule {}

async function start(module: typeof CounterModule | typeof InlineModule, admin: AdminOptions | true): Promise<App> {
  const options = admin === true ? true : ({ listen: 'http://127.0.0.1:0', ...admin } as const);
  const app = await bootstrap(module, { admin: options, logger: false, signals: false });
  atEnd(() => app.close({ timeout: '5s' }));
  return app;
}

/** Starts an application with its page and two processes; it is closed with the test. */
export function adminApp(admin: AdminOptions | true = {}): Promise<App> {
  return start(CounterModule, admin);
}

/** The same page over a worker in this process. */
export function inlineAdminApp(admin: AdminOptions | true = {}): Promise<App> {
  return start(InlineModule, admin);
}

/** Somebody who shows the right password may act, somebody who shows none may look, anybody else is sent away. */
export const byPassword: NonNullable<AdminOptions['authorize']> = request => {
  const given = request.headers.get('authorization');
  if (given === 'Bearer operator') return 'operate';
  return given === null ? 'read' : new Response('who are you?', { status: 401 });
};
