import type * as Packet from '../../src/index.js';
import type * as Framing from '../../src/framing/index.js';
import type * as Http from '../../src/http/index.js';
import type * as Metrics from '../../src/metrics/index.js';
import { CheckWorker } from './worker.js';

/** The package under test is that of the checkout that started this process, and not the one that this file was compiled in. */
async function from<T>(path: string): Promise<T> {
  return (await import(`${process.env['CHECKOUT']!}/dist/src/${path}index.js`)) as T;
}

const packet = await from<typeof Packet>('');
const { lines } = await from<typeof Framing>('framing/');
const { Get } = await from<typeof Http>('http/');

interface Client {
  receipt(order: object): Promise<{ readonly total: number }>;
}

class Caller {
  constructor(readonly worker: Client) {}
  start(): void {}
}
class Echo {
  say(line: string): string {
    return line;
  }
}
class Hello {
  hello(): string {
    return 'hello';
  }
}
class CheckModule {}

function method(decorate: unknown, cls: { readonly prototype: object }, name: string): void {
  (decorate as MethodDecorator)(cls.prototype, name, Object.getOwnPropertyDescriptor(cls.prototype, name)!);
}
packet.InjectWorker(CheckWorker)(Caller, undefined, 0);
method(packet.OnStart(), Caller, 'start');
method(packet.OnData(), Echo, 'say');
method(Get('/'), Hello, 'hello');
packet.Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })(Echo);
packet.Connection({ listen: 'http://127.0.0.1:0' })(Hello);
packet.Module({ connections: [Echo, Hello], providers: [Caller], workers: [CheckWorker] })(CheckModule);

/** The application that is measured; with metrics switched on where OBSERVED=metrics. */
export async function startApplication(): Promise<{ call(): Promise<void>; readonly echo: number; readonly http: number }> {
  const app = await packet.bootstrap(CheckModule, { logger: false, signals: false });
  if (process.env['OBSERVED'] === 'metrics') (await from<typeof Metrics>('metrics/')).metrics(app);
  const { worker } = app.get<Caller>(Caller);
  const call = async (): Promise<void> => {
    const { total } = await worker.receipt({ id: 1, name: 'teapot', amount: 12.5 });
    if (total !== 25) throw new Error(`a wrong answer: ${total}`);
  };
  return { call, echo: app.address(Echo).port, http: app.address(Hello).port };
}
