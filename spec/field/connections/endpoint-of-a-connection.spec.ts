import { expect } from 'chai';
import { bootstrap, Connection, Module, OnData } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { atEnd, tcpClient } from '../../kit/index.js';

@Connection({ listen: ['tcp://127.0.0.1:0', 'tcp://127.0.0.1:0'], framing: lines() })
class Line {
  @OnData() handle(text: string): string {
    return text;
  }
}

/** It inherits its handler, and listens for itself. */
@Connection({ listen: 'tcp://127.0.0.1:0' })
class Other extends Line {}

@Module({ connections: [Line, Other] })
class AppModule {}

describe('a class that listens at several endpoints, and has a subclass that listens, too', () => {
  it('is told by describe() with the connections of each endpoint, not with all of them at each', async () => {
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    atEnd(() => app.close());
    const [first, second] = app.addresses(Line);
    const other = app.address(Other);
    for (const { port } of [first!, first!, other]) {
      const client = await tcpClient(port);
      await client.send('a\n');
      expect(await client.line()).to.equal('a');
    }
    const told = app.describe();
    expect(told).to.contain(`Line on ${first!.url}: 2 connections`);
    expect(told).to.contain(`Line on ${second!.url}: 0 connections`);
    expect(told).to.contain(`Other on ${other.url}: 1 connection`);
  });
});
