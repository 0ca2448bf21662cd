import { expect } from 'chai';
import { Hono } from 'hono';
import { Connection, OnConnect, OnData, OnError, Peer } from 'packet-ts';
import { delimited, headerAndBody, lines, raw } from 'packet-ts/framing';
import { mount, OnRequest } from 'packet-ts/http';
import { isHttpRequest } from '../../../src/session/inbound/http-refusal.js';
import { serve } from '../../field/support/serve.js';
import { tcpClient, waitFor } from '../../kit/index.js';

const REQUESTS = [
  'GET /1;process.exit()// HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n1+1\n',
  'OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n',
  'HEAD /x HTTP/1.0\n\n',
  `GET /${'a'.repeat(100_000)};evil; HTTP/1.1\r\nHost: x\r\n\r\n`,
];

describe('a web page that sends requests to what listens on the loopback', () => {
  const handled: unknown[] = [];
  class Obeys {
    @OnData() obey(message: string | Buffer) {
      handled.push(message);
      return 'done';
    }
    @OnError() explain(error: Error) {
      return error.name;
    }
  }
  @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
  class Lines extends Obeys {}
  @Connection({ listen: 'tcp://127.0.0.1:0', framing: delimited(';') })
  class Parts extends Obeys {}
  @Connection({ listen: 'tcp://127.0.0.1:0', framing: raw() })
  class Bytes extends Obeys {}
  @Connection({ listen: { url: 'tcp://127.0.0.1:0', highWaterMark: 2, lowWaterMark: 1 }, framing: lines() })
  class Tight extends Obeys {}

  for (const cls of [Lines, Parts, Bytes, Tight]) {
    it(`is not obeyed, and its connection is closed: ${cls.name}`, async () => {
      const { port } = await serve(cls);
      for (const request of REQUESTS) {
        const whole = await tcpClient(port);
        await whole.send(request).catch(() => {});
        expect(await whole.all()).to.match(/^(FramingError\W?)?$/);
        await whole.destroy();
        if (request.length > 1_000) continue;
        const slow = await tcpClient(port);
        slow.socket.setNoDelay(true);
        for (const character of request.slice(0, request.indexOf('\n') + 1)) {
          await slow.send(character);
          await new Promise(resolve => setImmediate(resolve));
        }
        await slow.all();
        await slow.destroy();
      }
      expect(handled).to.deep.equal([]);
    });
  }

  it('costs nobody else anything: what only begins like a request is handled, whole or cut, before a FIN and behind one', async () => {
    const { port } = await serve(Lines);
    for (const [words, expected] of [
      ['GET\n', 1],
      ['GET /key\nPOST x\n', 2],
      ['GETTING /x HTTP/1.1\n', 1],
      ['get / HTTP/1.1\n', 1],
      ['x\nGET / HTTP/1.1\n', 2],
    ] as const) {
      for (const cut of [words.length, 1, 3, 6]) {
        handled.length = 0;
        const client = await tcpClient(port);
        await client.send(words.slice(0, cut));
        if (cut < words.length) {
          await new Promise(resolve => setImmediate(resolve));
          await client.send(words.slice(cut));
        }
        expect(await client.lines(expected)).to.have.length(expected);
        await client.destroy();
      }
    }
    handled.length = 0;
    const unfinished = await tcpClient(port);
    unfinished.end('GET /key');
    expect(await unfinished.all()).to.equal('done\n');
    const parts = await tcpClient((await serve(Parts)).port);
    parts.end('GET /a;b;');
    expect(await parts.all()).to.equal('done;done;');
    handled.length = 0;
  });

  it('makes no client wait for ever whose protocol has no lines and who waits for the answer to what begins like a request', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: raw() })
    class Echo {
      @OnData() echo(bytes: Buffer) {
        return bytes;
      }
    }
    for (const [cls, words, answer] of [
      [Echo, 'P', 'P'],
      [Echo, 'GET key', 'GET key'],
      [Parts, 'GET /a;', 'done;'],
    ] as const) {
      const client = await tcpClient((await serve(cls)).port);
      await client.send(words);
      await waitFor(() => client.inbox.text === answer);
      await client.send('GET /b;');
      await waitFor(() => client.inbox.text === answer + (cls === Echo ? 'GET /b;' : 'done;'));
    }
    handled.length = 0;
  });

  it('is let in where HTTP is meant: allowHttp, headerAndBody(), and what is piped on', async () => {
    @Connection({ listen: { url: 'tcp://127.0.0.1:0', allowHttp: true }, framing: lines() })
    class Asked extends Obeys {}
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: headerAndBody() })
    class Headers {
      @OnData() answer({ start }: { start?: string }) {
        return { start: `HTTP/1.1 200 ${start}`, headers: {}, body: Buffer.alloc(0) };
      }
    }
    @Connection({ listen: 'tcp://127.0.0.1:0' })
    class Pipes {
      constructor(private readonly peer: Peer) {}
      @OnConnect() connected() {
        void this.peer.pipe(this.peer);
      }
    }
    for (const cls of [Asked, Headers, Pipes]) {
      const client = await tcpClient((await serve(cls)).port);
      await client.send('GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n');
      await waitFor(() => client.inbox.text.length > 4);
    }
    handled.length = 0;
  });

  it('reaches no http endpoint by a name of its own (DNS rebinding), unless the name is one of `hosts`', async () => {
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Web {
      @OnRequest() get() {
        return new Response('ok');
      }
    }
    @Connection({ listen: { url: 'http://127.0.0.1:0', hosts: ['app.example'] } })
    class Named extends Web {}
    const ask = async (port: number, host: string): Promise<string> => {
      const client = await tcpClient(port);
      await client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      return (await client.all()).slice(9, 12);
    };
    const mounted = mount(
      new Hono().get('/', c => c.text('ok')),
      { listen: 'http://127.0.0.1:0' },
    );
    for (const served of [Web, mounted]) {
      const { port } = await serve(served);
      for (const host of ['evil.example', 'evil.example:80', 'EVIL.example', '127.0.0.1.evil.example', 'localhost.evil.example'])
        expect(await ask(port, host), host).to.equal('403');
      for (const host of ['127.0.0.1', `localhost:${port}`, 'app.localhost', '[::1]', 'machine'])
        expect(await ask(port, host), host).to.equal('200');
    }
    const { port } = await serve(Named);
    expect([await ask(port, 'App.Example:8080'), await ask(port, 'evil.example')]).to.deep.equal(['200', '403']);
  });

  it('is told by the first line alone', () => {
    const told = (text: string): boolean | undefined => isHttpRequest(Buffer.from(text));
    expect(told('G')).to.equal(undefined);
    expect(told('GX')).to.equal(false);
    expect(told('GET /')).to.equal(undefined);
    expect(told('GET / HTTP/1.1\r\n')).to.equal(true);
    expect(told('GET / HTTP/1.1 \r\n')).to.equal(false);
    expect(told('\nGET / HTTP/1.1\r\n')).to.equal(false);
    expect(told(`POST ${'x'.repeat(40_000)}`)).to.equal(true);
  });
});
