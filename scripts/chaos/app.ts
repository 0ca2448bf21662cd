/**
 * The application that `scripts/chaos.ts` mistreats: every endpoint, two pools. It is told what to do by lines on its stdin, where
 * `sample` is answered with what it holds.
 */
import { subscribe } from 'node:diagnostics_channel';
import { readdirSync } from 'node:fs';
import { ReadableStream } from 'node:stream/web';
import {
  bootstrap,
  Connection,
  exec,
  InjectWorker,
  Module,
  OnClose,
  OnData,
  OnError,
  Peer,
  Reactor,
  Workers,
  type WorkerClient,
} from 'packet-ts';
import { lines, raw } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import 'packet-ts/websocket';
import { Authority } from '../../spec/kit/programs/certificates.js';
import { calls, subscriptions } from './calls.js';
import { CalcWorker, WaitWorker } from './workers.js';

const LARGE = Buffer.alloc(8 * 1024 * 1024, 'x');
const authority = new Authority();
const tls = authority.issue('localhost');
authority[Symbol.dispose]();

/** A stream that says something now and then, until it is cancelled. */
function events<T>(item: T): ReadableStream<T> {
  let timer: NodeJS.Timeout | undefined;
  return new ReadableStream<T>({
    start: controller => {
      subscriptions.count++;
      controller.enqueue(item);
      timer = setInterval(() => {
        if ((controller.desiredSize ?? 0) > -16) controller.enqueue(item);
      }, 1_500);
    },
    cancel: () => {
      clearInterval(timer);
      subscriptions.count--;
    },
  });
}

/** What all line protocols answer. */
class Commands {
  constructor(
    @InjectWorker(CalcWorker) private readonly calc: WorkerClient<CalcWorker>,
    @InjectWorker(WaitWorker) private readonly waiting: WorkerClient<WaitWorker>,
  ) {}

  run(line: string): unknown {
    const [command, text] = line.split(' ');
    const n = Number(text ?? 0);
    if (command === 'next') return calls.count(() => this.calc.next(n)).then(String);
    if (command === 'spin') return calls.count(() => this.calc.spin(n)).then(String);
    if (command === 'crash') return calls.count(() => this.calc.crash(n)).then(String);
    if (command === 'wait') return calls.count(() => this.waiting.wait(n)).then(String);
    if (command === 'count') return this.#count(n);
    if (command === 'events') return events('event');
    if (command === 'large') return LARGE.toString('latin1');
    if (command === 'throw') throw new Error('asked for');
    return line;
  }

  async *#count(to: number): AsyncGenerator<string> {
    for await (const each of this.calc.count(to)) yield String(each);
  }
}

abstract class LineHandler extends Commands {
  @OnData() handle(line: string): unknown {
    return this.run(line);
  }
  @OnError() explain(error: Error): string {
    return `! ${error.name}`;
  }
}

const small = { framing: lines({ maxLength: '64kb' }), messageTimeout: '5s', firstMessageTimeout: '5s', drainTimeout: '5s' } as const;

@Connection({ ...small, listen: ['tcp://127.0.0.1:0', `unix:${process.argv[2]}`, { url: 'tls://127.0.0.1:0', tls }, 'memory:chaos'] })
class Lines extends LineHandler {}

@Connection({ ...small, listen: [{ url: 'ws://127.0.0.1:0/lines' }, { url: 'wss://127.0.0.1:0/lines', tls }], keepAlive: '5s' })
class Socket extends LineHandler {}

@Connection({ framing: raw(), listen: 'udp://127.0.0.1:0' })
class Datagrams {
  @OnData() echo(message: Buffer): Buffer {
    return message;
  }
}

@Connection({ listen: ['http://127.0.0.1:0', { url: 'https://127.0.0.1:0', tls }], drainTimeout: '5s', messageTimeout: '5s' })
class Web extends Commands {
  @OnRequest() async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const [, command, text] = pathname.split('/');
    if (command === 'events') return eventStream();
    if (command === 'large') return new Response(LARGE);
    if (command === 'upload') return new Response(String((await request.arrayBuffer()).byteLength));
    if (command === 'block') {
      const until = performance.now() + Number(text);
      while (performance.now() < until);
      return new Response('blocked');
    }
    if (command === 'count') return new Response('no');
    return new Response(String(await this.run(`${command} ${text ?? 0}`)));
  }
}

function eventStream(): Response {
  // Node's and the web's streams are one at run time.
  const body = events(new TextEncoder().encode('data: event\n\n')) as unknown as ConstructorParameters<typeof Response>[0];
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** A command, and the memory: endpoint, as clients: each round trip is one connection. */
@Connection({ framing: lines() })
class Echoes {
  readonly answer: Promise<string>;
  #resolve!: (line: string) => void;
  constructor(private readonly peer: Peer<string, string>) {
    this.answer = new Promise(resolve => (this.#resolve = resolve));
    this.peer.send('hello');
  }
  @OnData() take(line: string): void {
    this.#resolve(line);
    this.peer.end();
  }
  // Without an answer, since the application closes.
  @OnClose() closed(): void {
    this.#resolve('closed');
  }
}

function held(): Record<string, number> {
  const resources: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) resources[type] = (resources[type] ?? 0) + 1;
  return resources;
}

/** Told what to do by the driver. */
@Connection({ framing: lines(), listen: 'stdio:' })
class Control {
  constructor(
    private readonly reactor: Reactor,
    private readonly workers: Workers,
  ) {}

  @OnData() async obey(line: string): Promise<string> {
    if (line === 'dial') {
      const [own, command] = await Promise.all([
        this.reactor.connect(Echoes, 'memory:chaos').then(echoes => echoes.answer),
        this.reactor.connect(Echoes, exec('cat')).then(echoes => echoes.answer),
      ]);
      return JSON.stringify({ dialled: [own, command] });
    }
    if (line === 'workers') return JSON.stringify({ pids: this.workers.status().flatMap(({ pid }) => pid ?? []) });
    globalThis.gc?.();
    return JSON.stringify({
      connections: this.reactor.connections().count,
      restless: this.workers
        .status()
        .filter(({ pid, state, running, queued }) => pid !== undefined && (state !== 'ready' || running + queued > 0)).length,
      descriptors: readdirSync('/proc/self/fd').length,
      heap: process.memoryUsage().heapUsed,
      rss: process.memoryUsage().rss,
      resources: held(),
      subscriptions: subscriptions.count,
      calls: { made: calls.made, settled: calls.settled, twice: calls.twice },
    });
  }

  @OnError() explain(error: Error): string {
    return JSON.stringify({ error: String(error) });
  }
}

@Module({ connections: [Lines, Socket, Datagrams, Web, Control], workers: [CalcWorker, WaitWorker] })
class AppModule {}

// A busy machine may take its time to start the workers that calls wait for.
const app = await bootstrap(AppModule);
subscribe('packet-ts:app.close', summary => process.stderr.write(`${JSON.stringify({ told: summary })}\n`));
// What a graceful end still waits for after a while.
process.once('SIGTERM', () => {
  const tell = (): void => {
    const open = [...app.reactor.connections()].map(
      ({ handler, peer }) => `${handler.constructor.name} ${peer.remote.url} ${peer.bufferedBytes}`,
    );
    process.stderr.write(`${JSON.stringify({ told: { open, describe: app.describe() } })}\n`);
  };
  setTimeout(tell, 11_000).unref();
});
const urls = [Lines, Socket, Datagrams, Web].flatMap(cls => app.addresses(cls).map(({ url }) => url));
process.stdout.write(`${JSON.stringify({ urls })}\n`);
