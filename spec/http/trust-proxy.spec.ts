import { expect } from 'chai';
import { Hono } from 'hono';
import { Connection, OnConnect, Peer } from 'packet-ts';
import { mount, OnRequest, type RequestAbout } from 'packet-ts/http';
import 'packet-ts/websocket';
import { webClient, type WebClient } from '../kit/index.js';
import { serve } from '../field/support/serve.js';

type Headers = Readonly<Record<string, string>>;
const URL_OF_TLS = { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'shop.example' };

describe('trustProxy', () => {
  class Who {
    @OnRequest() who({ url }: Request, { remote }: RequestAbout) {
      return Response.json({ url, remote: remote.address });
    }
  }
  @Connection({ listen: { url: 'http://127.0.0.1:0', trustProxy: ['127.0.0.0/8', '10.0.0.0/8'], deny: ['203.0.113.66', '127.0.0.1'] } })
  class Behind extends Who {}
  @Connection({ listen: { url: 'http://127.0.0.1:0', trustProxy: ['10.0.0.0/8'] } })
  class Elsewhere extends Who {}

  const ask = async (url: string, headers: Headers): Promise<{ status: number; url?: string; remote?: string }> => {
    const answer = await fetch(`${url}/a?b`, { headers });
    return answer.ok ? { status: answer.status, ...((await answer.json()) as object) } : { status: answer.status };
  };

  it('shows the client’s own address and url behind a proxy that ends TLS', async () => {
    const { url } = await serve(Behind);
    expect(await ask(url, URL_OF_TLS)).to.deep.equal({ status: 200, url: 'https://shop.example/a?b', remote: '203.0.113.7' });
    const chain = {
      'X-Forwarded-For': '1.1.1.1, 203.0.113.8, 10.1.1.1',
      'X-Forwarded-Proto': 'http, https',
      'X-Forwarded-Host': 'evil, shop.example',
    };
    expect(await ask(url, chain)).to.deep.equal({ status: 200, url: 'https://shop.example/a?b', remote: '203.0.113.8' });
    expect(await ask(url, { 'X-Forwarded-For': '[2001:db8::1]:99' })).to.include({ remote: '2001:db8::1', url: `${url}/a?b` });
    expect(await ask(url, { 'X-Forwarded-For': 'unknown, 203.0.113.9:80', 'X-Forwarded-Host': 'a b/c' })).to.include({
      remote: '203.0.113.9',
      url: `${url}/a?b`,
    });
  });

  it('applies address rules to the client, whoever answers', async () => {
    const denied = { 'X-Forwarded-For': '203.0.113.66' };
    const web = mount(
      new Hono().get('/a', c => c.json({ url: c.req.url })),
      { listen: 'http://127.0.0.1:0', trustProxy: ['127.0.0.1'], deny: ['203.0.113.66'] },
    );
    const listener = mount(() => (_request: unknown, response: { end(text: string): void }) => response.end('{}'), {
      listen: 'http://127.0.0.1:0',
      trustProxy: ['127.0.0.1'],
      deny: ['203.0.113.66'],
    });
    for (const served of [Behind, web, listener]) {
      const { url } = await serve(served);
      expect(await ask(url, denied)).to.deep.equal({ status: 403 });
      expect((await ask(url, URL_OF_TLS)).status).to.equal(200);
    }
    expect((await ask((await serve(web)).url, URL_OF_TLS)).url).to.equal('https://shop.example/a?b');
  });

  it('believes nobody else', async () => {
    const { url } = await serve(Elsewhere);
    expect(await ask(url, URL_OF_TLS)).to.deep.equal({ status: 200, url: `${url}/a?b`, remote: '127.0.0.1' });
  });

  describe('of a websocket', () => {
    @Connection()
    class Live {
      constructor(private readonly peer: Peer) {}
      @OnConnect() greet() {
        return `${this.peer.remote.url} ${this.peer.request!.url}`;
      }
    }
    const seen: (string | undefined)[] = [];
    const authorize = (request: Request, { remote }: { remote: { address?: string | undefined } }): void => {
      seen.push(`${remote.address} ${request.url}`);
    };
    @Connection({ listen: { url: 'ws://127.0.0.1:0/live', trustProxy: ['127.0.0.0/8'], deny: ['203.0.113.66', '127.0.0.1'], authorize } })
    class LiveBehind extends Live {}
    @Connection({ listen: { url: 'ws://127.0.0.1:0/live', trustProxy: ['10.0.0.0/8'] } })
    class LiveElsewhere extends Live {}
    const open = (url: string, headers: Headers): Promise<WebClient> => webClient(url, [], { headers });

    it('shows the client’s own address, url and origin, and applies the address rules to it', async () => {
      const { url } = await serve(LiveBehind);
      const client = await open(url, { ...URL_OF_TLS, Origin: 'https://shop.example' });
      expect(await client.next()).to.equal('wss://203.0.113.7 wss://shop.example/live');
      expect(seen).to.deep.equal(['203.0.113.7 https://shop.example/live']);
      for (const headers of [
        { ...URL_OF_TLS, 'X-Forwarded-For': '203.0.113.66' },
        { ...URL_OF_TLS, Origin: 'https://evil.example' },
      ]) {
        const refused = await open(url, headers).catch((error: Error) => error.message);
        expect(refused).to.match(/403/);
      }
    });

    it('believes nobody else', async () => {
      const { url } = await serve(LiveElsewhere);
      const client = await open(url, URL_OF_TLS);
      expect(await client.next()).to.match(/^ws:\/\/127\.0\.0\.1:\d+ ws:\/\/127\.0\.0\.1:\d+\/live$/);
      expect(await open(url, { ...URL_OF_TLS, Origin: 'https://shop.example' }).catch((error: Error) => error.message)).to.match(/403/);
    });
  });
});
