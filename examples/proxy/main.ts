import { bootstrap, Connection, type Endpoint, Module, OnConnect, OnError, Peer, Reactor } from 'packet-ts';

const [from = 'tcp://127.0.0.1:11050', to = 'tcp://127.0.0.1:11000'] = process.argv.slice(2) as Endpoint[];

/** The other side. It says nothing by itself: without `@OnData` it is not read until it is piped. */
@Connection({ connectTimeout: '3s' })
class Upstream {
  constructor(readonly peer: Peer) {}
}

/**
 * Carries bytes both ways, with back-pressure and half-closes: `node main.js tcp://127.0.0.1:11050 tcp://127.0.0.1:11000`.
 * Either side may be any stream endpoint.
 */
@Connection({ listen: from, firstMessageTimeout: false })
class Client {
  constructor(
    private readonly peer: Peer,
    private readonly reactor: Reactor,
  ) {}

  @OnConnect() async splice(): Promise<void> {
    // When the client leaves meanwhile, the dial is given up.
    const { peer: upstream } = await this.reactor.connect(Upstream, to, { signal: this.peer.signal });
    // Each direction ends by itself; when one side is gone, so is the other.
    Promise.all([this.peer.pipe(upstream), upstream.pipe(this.peer)]).catch((error: Error) => {
      this.peer.destroy(error);
      upstream.destroy(error);
    });
  }

  /** Nobody there: the client hears why, and the end. */
  @OnError() unreachable(error: Error): void {
    this.peer.end(`${error.message}\n`);
  }
}

@Module({ connections: [Client] })
class AppModule {}

await bootstrap(AppModule);
