import { bootstrap, channel, type Channel, Connection, inject, Module, OnChannel, OnData, OnError, Peer, Reactor } from 'packet-ts';
import { COMMANDS } from './commands.js';
import { type Reply, resp } from './resp.js';
import { Store } from './store.js';

const [port = '11040'] = process.argv.slice(2);

const News = channel<{ readonly topic: string; readonly text: Buffer }>('news');

/** A server that clients of Redis take for one: `redis-cli -p 11040`, `redis-benchmark -p 11040 -t set,get -P 16 -q`. */
@Connection({ listen: `tcp://127.0.0.1:${port}`, framing: resp() })
class Client {
  readonly #topics = new Set<string>();

  constructor(
    private readonly peer: Peer<Buffer[], Reply>,
    private readonly reactor: Reactor,
    private readonly store: Store,
    @inject(News) private readonly news: Channel<{ readonly topic: string; readonly text: Buffer }>,
  ) {}

  @OnData() run([word, ...args]: Buffer[]): Reply | undefined {
    const name = String(word).toUpperCase();
    if (name === 'QUIT') return this.#quit();
    if (name === 'PUBLISH' && args.length === 2) return this.#publish(String(args[0]), args[1]!);
    if (name === 'SUBSCRIBE' && args.length > 0) return this.#subscribe(args);
    const command = COMMANDS.get(name);
    if (!command) throw new Error(`unknown command '${name.slice(0, 128)}'`);
    if (args.length < command.least || args.length > command.most)
      throw new Error(`wrong number of arguments for '${name.toLowerCase()}' command`);
    return command.run(this.store, ...args);
  }

  /** What a handler throws is answered in its place: the replies stay in order. */
  @OnError() explain(error: Error): Reply {
    return error;
  }

  @OnChannel(News) hear({ topic, text }: { readonly topic: string; readonly text: Buffer }): Reply | undefined {
    return this.#topics.has(topic) ? [Buffer.from('message'), Buffer.from(topic), text] : undefined;
  }

  #quit(): undefined {
    this.peer.end('OK');
  }

  /** To how many it goes. */
  #publish(topic: string, text: Buffer): number {
    this.news.publish({ topic, text });
    return [...this.reactor.connections(Client)].filter(({ handler }) => handler.#topics.has(topic)).length;
  }

  #subscribe(topics: readonly Buffer[]): undefined {
    for (const topic of topics) {
      this.#topics.add(topic.toString());
      this.peer.send([Buffer.from('subscribe'), topic, this.#topics.size]);
    }
  }
}

@Module({ connections: [Client], providers: [Store] })
class AppModule {}

await bootstrap(AppModule);
