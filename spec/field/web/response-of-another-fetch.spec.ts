import { expect } from 'chai';
import { Connection, OnConnect, OnData, OnError } from 'packet-ts';
import { Get, mount, OnRequest, Use } from 'packet-ts/http';
import 'packet-ts/websocket';
import { asked } from '../../kit/asked.js';
import { Events } from '../../kit/events.js';
import { tcpClient, waitFor } from '../../kit/index.js';
import { serve } from '../support/serve.js';

const HERE = 'http://127.0.0.1:0';
const OPENING =
  'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';

/** Shaped as a `Response` and no instance of it: as those of npm's undici, of frameworks that bring a fetch, of another realm. */
function foreign(...given: ConstructorParameters<typeof Response>): Response {
  const real = new Response(...given);
  const { status, statusText, headers, body } = real;
  return { status, statusText, headers, body, text: () => real.text() } as unknown as Response;
}

/** As node-fetch has it: the body is a stream of Node, and the headers know nothing of several cookies. */
class UnlikeTheWeb {
  readonly status = 200;
  readonly headers = new Map();
  readonly body = { pipe: () => {} };
  readonly text = (): string => 'text';
  get [Symbol.toStringTag](): string {
    return 'Response';
  }
}

const answer = (): Response =>
  foreign('hello', {
    status: 201,
    headers: [
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ],
  });

@Connection({ listen: HERE })
class Answers {
  @OnRequest() other() {
    return answer();
  }
}
@Connection({ listen: HERE })
class AnswersLater {
  @OnRequest() async other() {
    return Promise.resolve(answer());
  }
}
@Connection({ listen: HERE })
class Routes {
  @Get('/') root() {
    return answer();
  }
}
@Connection({ listen: HERE })
@Use(() => answer())
class Guards {
  @Get('/') root() {
    throw new Error('the guard has answered');
  }
}
@Connection({ listen: HERE })
class Explains {
  @OnRequest() fail(): Response {
    throw new Error('asked for');
  }
  @OnError() explain() {
    return answer();
  }
}

describe('a Response that is of another fetch', () => {
  for (const cls of [Answers, AnswersLater, Routes, Guards, Explains]) {
    it(`is sent as the web's own, its cookies too: ${cls.name}`, async () => {
      const { port } = await serve(cls);
      const { status, text, headers } = await asked(port, '/');
      expect([status, text, headers['set-cookie']]).to.deep.equal([201, 'hello', ['a=1', 'b=2']]);
    });
  }

  it("is sent as the web's own: by a mounted application", async () => {
    const { port } = await serve(mount(() => ({ fetch: answer }), { listen: HERE }));
    const { status, text, headers } = await asked(port, '/');
    expect([status, text, headers['set-cookie']]).to.deep.equal([201, 'hello', ['a=1', 'b=2']]);
  });

  it('is cancelled when its client leaves', async () => {
    let cancelled = 0;
    @Connection({ listen: HERE })
    class Streams {
      @OnRequest() stream() {
        const start = (controller: ReadableStreamDefaultController): void => controller.enqueue(Buffer.from('first'));
        return foreign(new ReadableStream({ start, cancel: () => void cancelled++ }));
      }
    }
    const { port } = await serve(Streams);
    const client = await tcpClient(port);
    await client.send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await client.bytes(100);
    client.reset();
    await waitFor(() => cancelled === 1, { what: 'the body to be cancelled' });
  });

  it('refuses a websocket: by authorize, and thrown by a constructor', async () => {
    const refusal = (): Response => foreign('who are you?', { status: 401 });
    @Connection({ listen: { url: 'ws://127.0.0.1:0', authorize: refusal } })
    class Authorized {
      @OnData() never() {}
    }
    @Connection({ listen: 'ws://127.0.0.1:0' })
    class Constructed {
      constructor() {
        throw refusal();
      }
      @OnData() never() {}
    }
    for (const cls of [Authorized, Constructed]) {
      const { port } = await serve(cls);
      const client = await tcpClient(port);
      await client.send(OPENING);
      expect(await client.all(), cls.name).to.match(/^HTTP\/1.1 401 [^]*who are you\?$/);
    }
  });

  it('is an error that says so where it cannot be sent', async () => {
    @Connection({ listen: HERE })
    class Unlike {
      @Get('/route') route() {
        return new UnlikeTheWeb();
      }
      @OnRequest() other() {
        return new UnlikeTheWeb() as unknown as Response;
      }
    }
    using errors = new Events('connection.error');
    const own = await serve(Unlike);
    const mounted = await serve(mount(() => ({ fetch: () => new UnlikeTheWeb() as unknown as Response }), { listen: HERE }));
    expect((await asked(own.port, '/route')).status).to.equal(500);
    expect((await asked(own.port, '/other')).status).to.equal(500);
    expect((await asked(mounted.port, '/')).status).to.equal(500);
    expect(errors.seen.map(({ error }) => (error as Error).message)).to.deep.equal([
      "GET '/route' returned a Response that is not the web's: its body must be a ReadableStream or null",
      '@OnRequest of Unlike returned no Response of the web: an object',
      'fetch() of the mounted application returned no Response of the web: an object',
    ]);
  });
});

describe('an authorize that answers neither undefined nor a Response', () => {
  for (const verdict of [false, null, true, 401, { status: 401 }]) {
    it(`grants nothing: ${JSON.stringify(verdict)}`, async () => {
      let made = 0;
      @Connection({ listen: { url: 'ws://127.0.0.1:0', authorize: () => verdict as unknown as undefined } })
      class Private {
        @OnConnect() hello() {
          made++;
        }
        @OnData() never() {}
      }
      using errors = new Events('listener.error');
      const { port } = await serve(Private);
      const client = await tcpClient(port);
      await client.send(OPENING);
      expect(await client.all()).to.match(/^HTTP\/1.1 500 /);
      expect(made).to.equal(0);
      expect((errors.seen[0]!['error'] as Error).message).to.match(/^authorize returned .*: return undefined to grant the websocket/);
    });
  }
});
