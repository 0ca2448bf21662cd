import { expect } from 'chai';
import { ReadableStream } from 'node:stream/web';
import { bootstrap, Connection, Module, OnData } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { mount, OnRequest } from 'packet-ts/http';
import { tcpClient } from '../../kit/index.js';

let subscribers = 0;

/** A stream that says hello and then nothing more, until it is cancelled. */
function hello<T>(item: T): ReadableStream<T> {
  return new ReadableStream<T>({
    start: controller => {
      subscribers++;
      controller.enqueue(item);
    },
    cancel: () => void subscribers--,
  });
}

function eventStream(): Response {
  // Node's and the web's streams are one at run time.
  const body = hello(new TextEncoder().encode('data: hello\n\n')) as unknown as ConstructorParameters<typeof Response>[0];
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Lines {
  @OnData() subscribe(): ReadableStream<string> {
    return hello('data: hello');
  }
}

@Connection({ listen: 'http://127.0.0.1:0' })
class Web {
  @OnRequest() subscribe(): Response {
    return eventStream();
  }
}

const mounted = mount(() => ({ fetch: eventStream }), { listen: 'http://127.0.0.1:0' });

@Module({ connections: [Lines, Web, mounted] })
class AppModule {}

describe('an application that closes while event streams are open', () => {
  it('ends them, cancels their sources and has closed gracefully', async () => {
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    const clients = await Promise.all(
      [app.address(Lines), app.address(Web), app.address(mounted)].map(async ({ port }) => {
        const client = await tcpClient(port);
        await client.send(
          'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n'.slice(port === app.address(Lines).port ? -2 : 0),
        );
        await client.inbox.lineLike(/data: hello/);
        return client;
      }),
    );
    expect(subscribers).to.equal(3);
    const closing = app.close({ timeout: '8s' });
    for (const client of clients) {
      await client.all({ within: '6s' });
      client.end();
      // Ended, not cut off.
      expect(await client.closed).to.equal(false);
    }
    const summary = await closing;
    expect(summary).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
    expect(subscribers).to.equal(0);
  });
});
