import { bootstrap, Connection, Module, OnData } from 'packet-ts';
import { lines } from 'packet-ts/framing';

@Connection({ listen: 'tcp://127.0.0.1:11000', framing: lines() })
class Echo {
  @OnData() echo(line: string): string {
    return line;
  }
}

@Module({ connections: [Echo] })
class AppModule {}

await bootstrap(AppModule);
