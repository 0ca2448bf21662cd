import { bootstrap, Connection, Module, OnClose, OnData } from '../../src/index.js';
import { lines } from '../../src/framing/index.js';
import { reportSelf } from './self-report.js';

let open = 0;

// The same room for connections that were not accepted yet as the bare server has: the client runs ahead of both.
@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), maxConnections: 20_000, backlog: 4096 })
class Idle {
  constructor() {
    open++;
  }

  @OnData()
  echo(line: string): string {
    return line;
  }

  @OnClose()
  left(): void {
    open--;
  }
}

@Module({ connections: [Idle] })
class IdleModule {}

const app = await bootstrap(IdleModule, { logger: false });
reportSelf(app.address(Idle).port, () => open);
