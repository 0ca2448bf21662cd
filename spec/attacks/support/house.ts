import { expect } from 'chai';
import { bootstrap, Connection, Module, OnData, type App, type CloseSummary, type Duration, type Provider } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { atEnd, tcpClient, type TcpClient } from '../../kit/index.js';

/** Somebody else on the same reactor, who wants to be served whatever becomes of the others. */
@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
export class Neighbour {
  @OnData() echo(line: string): string {
    return line;
  }
}

/** An application on real sockets, with a neighbour beside whatever is tried in it. Closed at the end of the test. */
export class House {
  readonly app: App;
  readonly #neighbour: TcpClient;
  #asked = 0;

  private constructor(app: App, neighbour: TcpClient) {
    this.app = app;
    this.#neighbour = neighbour;
  }

  static async open(
    connections: readonly Ctor[],
    { providers = [], workers = [] }: { readonly providers?: readonly Provider[]; readonly workers?: readonly Ctor[] } = {},
  ): Promise<House> {
    class AppModule {}
    Module({ connections: [Neighbour, ...connections], providers: [...providers], workers: [...workers] })(AppModule);
    const app = await bootstrap(AppModule, { signals: false, logger: false });
    atEnd(() => app.close());
    return new House(app, await tcpClient(app.address(Neighbour).port));
  }

  /** Ends the application, when the neighbour has left. */
  async close(timeout?: Duration): Promise<CloseSummary> {
    await this.#neighbour.destroy();
    return this.app.close({ timeout });
  }

  connect(to: Ctor): Promise<TcpClient> {
    return tcpClient(this.app.address(to).port);
  }

  /** The neighbour, connected since before, and a newcomer are both answered. */
  async servesOthers(): Promise<void> {
    const line = `still there ${++this.#asked}`;
    const newcomer = await this.connect(Neighbour);
    await Promise.all([this.#neighbour, newcomer].map(client => client.send(`${line}\n`)));
    expect(await Promise.all([this.#neighbour.line(), newcomer.line()])).to.deep.equal([line, line]);
    await newcomer.destroy();
  }
}
