/** The same echo as a decorated class, as in the README: limits, order, back-pressure and all, default options. */
import { bootstrap, Connection, Module, OnData } from '../../../src/index.js';
import { lines } from '../../../src/framing/index.js';

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Echo {
  @OnData()
  echo(line: string): string {
    return `+${line}\r`;
  }
}

@Module({ connections: [Echo] })
class EchoModule {}

const app = await bootstrap(EchoModule, { logger: false });
console.log(app.address(Echo).port);
