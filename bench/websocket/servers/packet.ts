import '../../../src/websocket/index.js';
import { bootstrap, Connection, Module, OnData } from '../../../src/index.js';
import { lines } from '../../../src/framing/index.js';

/** An echo of text messages, default options. */
@Connection({ listen: 'ws://127.0.0.1:0/', framing: lines() })
class Echo {
  @OnData()
  echo(text: string): string {
    return text;
  }
}

@Module({ connections: [Echo] })
class EchoModule {}

const app = await bootstrap(EchoModule, { logger: false });
console.log(app.address(Echo).port);
