import { EventEmitter, on } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { Connection, OnClose, OnData, type CloseReason } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import 'packet-ts/websocket';
import { Events } from '../../kit/events.js';
import { soon, tcpClient, waitFor, webClient } from '../../kit/index.js';
import { deferred } from '../../kit/signals.js';
import { serve } from '../support/serve.js';

/** A source that has said one thing and waits for more, and whether it was told that nobody listens any more. */
interface Idle {
  readonly items: AsyncIterable<unknown>;
  isReleased(): boolean;
}

const SOURCES: Readonly<Record<string, () => Idle>> = {
  'a web stream': () => {
    let released = false;
    const items = new ReadableStream<string>({ start: controller => controller.enqueue('hello'), cancel: () => void (released = true) });
    return { items, isReleased: () => released };
  },
  'a web stream whose cancel() never settles': () => {
    let released = false;
    const cancel = (): Promise<void> => {
      released = true;
      return new Promise(() => {});
    };
    const items = new ReadableStream<string>({ start: controller => controller.enqueue('hello'), cancel });
    return { items, isReleased: () => released };
  },
  'a Node stream': () => {
    const items = new PassThrough({ objectMode: true });
    items.write('hello');
    return { items, isReleased: () => items.destroyed };
  },
  'an iterator of events': () => {
    const emitter = new EventEmitter();
    const items = on(emitter, 'news');
    emitter.emit('news', 'hello');
    return {
      items: {
        [Symbol.asyncIterator]: () => ({ next: async () => ({ ...(await items.next()), value: 'hello' }), return: () => items.return!() }),
      },
      isReleased: () => emitter.listenerCount('news') === 0,
    };
  },
  'an iterator that never answers': () => {
    let released = false;
    let asked = 0;
    const next = (): Promise<IteratorResult<string>> =>
      asked++ ? new Promise(() => {}) : Promise.resolve({ done: false, value: 'hello' });
    const end = async (): Promise<IteratorResult<string>> => {
      released = true;
      return new Promise(() => {});
    };
    return { items: { [Symbol.asyncIterator]: () => ({ next, return: end }) }, isReleased: () => released };
  },
  'a generator that waits for something': () => {
    async function* generate() {
      yield 'hello';
      await new Promise(() => {});
    }
    // No iterator can interrupt an await: the connection does not wait for it.
    return { items: generate(), isReleased: () => true };
  },
};

describe('a client that leaves an idle stream', () => {
  for (const [name, make] of Object.entries(SOURCES)) {
    it(`has it released and the connection closed at once: ${name}`, async () => {
      using errors = new Events('connection.error');
      const idle: Idle[] = [];
      const reasons: CloseReason[] = [];
      class Streams {
        @OnData() stream() {
          idle.push(make());
          return idle.at(-1)!.items;
        }
        @OnClose() over(reason: CloseReason) {
          reasons.push(reason);
        }
      }
      @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
      class Tcp extends Streams {}
      @Connection({ listen: 'ws://127.0.0.1:0', framing: lines() })
      class Ws extends Streams {}
      const tcp = await serve(Tcp);
      const client = await tcpClient(tcp.port);
      await client.send('go\n');
      expect(await client.line()).to.equal('hello');
      client.reset();
      await waitFor(() => reasons.length === 1 && idle[0]!.isReleased(), { within: '1s', what: 'the end of the tcp connection' });
      const ws = await serve(Ws);
      const web = await webClient(ws.url);
      web.send('go');
      expect(await web.next()).to.equal('hello');
      web.socket.terminate();
      await waitFor(() => reasons.length === 2 && idle[1]!.isReleased(), { within: '1s', what: 'the end of the websocket' });
      expect(reasons.map(({ by }) => by)).to.deep.equal(['peer', 'peer']);
      expect(errors.seen).to.deep.equal([]);
    });
  }

  it('has a stream released that is returned only afterwards, and was never read', async () => {
    for (const name of ['a web stream', 'a Node stream']) {
      const left = deferred();
      const entered = deferred();
      const over = deferred();
      const idle = SOURCES[name]!();
      @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
      class Late {
        @OnData() async stream() {
          entered.resolve();
          await left.promise;
          return idle.items;
        }
        @OnClose() over() {
          over.resolve();
        }
      }
      const { app, port } = await serve(Late);
      const client = await tcpClient(port);
      await client.send('go\n');
      await soon(entered.promise);
      client.reset();
      await waitFor(() => app.reactor.connections().count === 0);
      left.resolve();
      await soon(over.promise);
      await waitFor(() => idle.isReleased(), { what: name });
    }
  });

  it('does not hold up the end of the application: event streams over http', async () => {
    let subscribers = 0;
    const reasons: CloseReason[] = [];
    @Connection({ listen: 'http://127.0.0.1:0' })
    class EventStream {
      @OnRequest() stream() {
        const start = (controller: ReadableStreamDefaultController): void => {
          subscribers++;
          controller.enqueue(Buffer.from('data: hello\n\n'));
        };
        return new Response(new ReadableStream({ start, cancel: () => void subscribers-- }), {
          headers: { 'content-type': 'text/event-stream' },
        });
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const { app, port } = await serve(EventStream);
    for (let i = 1; i <= 5; i++) {
      const client = await tcpClient(port);
      await client.send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      await waitFor(() => client.inbox.text.includes('hello'));
      // One in two says goodbye, the others do not.
      if (i % 2) client.end();
      else client.reset();
      await waitFor(() => reasons.length === i && subscribers === 0, { within: '1s', what: 'the stream to be cancelled' });
    }
    expect(await app.close()).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
  });
});
