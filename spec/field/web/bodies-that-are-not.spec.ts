import { expect } from 'chai';
import { Connection } from 'packet-ts';
import { OnRequest } from 'packet-ts/http';
import { Events } from '../../kit/events.js';
import { atEnd, tcpClient } from '../../kit/index.js';
import { serve } from '../support/serve.js';

const DEEP = `${'['.repeat(101)}${']'.repeat(101)}`;

describe('a body that is not what its handler reads', () => {
  @Connection({ listen: { url: 'http://127.0.0.1:0', maxMessageSize: '10kb' } })
  class Reads {
    @OnRequest() async read(request: Request) {
      const readers: Readonly<Record<string, () => unknown>> = {
        '/json': () => request.json(),
        '/clone': () => request.clone().json(),
        '/clones': () => request.clone().clone().json(),
        '/form': async () => [...(await request.formData()).keys()],
        '/twice': async () => [await request.text(), await request.json()],
        '/twice/form': async () => [await request.text(), await request.formData()],
      };
      return Response.json(await readers[new URL(request.url).pathname]!());
    }
  }

  it('is the client’s mistake: 400, and nothing is logged', async () => {
    using errors = new Events('connection.error');
    const { url } = await serve(Reads);
    const post = async (path: string, body?: string, type = 'text/plain'): Promise<number> => {
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        ...(body !== undefined && { body, headers: { 'content-type': type } }),
      });
      await answer.text();
      return answer.status;
    };
    for (const path of ['/json', '/clone', '/clones']) {
      expect(await post(path, '{"a":[1]}'), path).to.equal(200);
      for (const body of [
        undefined,
        '',
        '{',
        'a',
        DEEP,
        '{"__proto__":{"x":1}}',
        '{"a":{"constructor":{"prototype":{}}}}',
        '{"\\u005f_proto__":1}',
      ])
        expect(await post(path, body), `${path} ${body}`).to.equal(400);
      expect(await (await fetch(`${url}${path}`)).text()).to.contain('no JSON: it is empty');
    }
    expect(await post('/form', 'a=1&b=2', 'application/x-www-form-urlencoded')).to.equal(200);
    expect(await post('/form')).to.equal(400);
    expect(await post('/form', 'a=1')).to.equal(400);
    expect(await post('/form', '--x\r\nnonsense', 'multipart/form-data; boundary=x')).to.equal(400);
    expect(await post('/form', 'x'.repeat(20_000), 'application/x-www-form-urlencoded')).to.equal(413);
    expect(errors.seen).to.deep.equal([]);
  });

  it('is still ours when the handler reads it twice', async () => {
    using errors = new Events('connection.error');
    const { url } = await serve(Reads);
    for (const path of ['/twice', '/twice/form'])
      expect((await fetch(`${url}${path}`, { method: 'POST', body: '{}' })).status, path).to.equal(500);
    expect(errors.seen).to.have.length(2);
  });

  it('is nobody’s mistake when the client leaves in the middle of it, and too large is 413 for a form, too', async () => {
    using errors = new Events('connection.error');
    const { app, url, port } = await serve(Reads);
    for (const path of ['/json', '/clone', '/form']) {
      const client = await tcpClient(port);
      await client.send(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n{`,
      );
      client.reset();
      const large = await tcpClient(port);
      await large.send(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      await large.send(`4000\r\n${'x'.repeat(0x4000)}\r\n`);
      expect(await large.line(), path).to.equal('HTTP/1.1 413 Payload Too Large');
      await large.destroy();
    }
    expect((await fetch(`${url}/json`, { method: 'POST', body: '1' })).status).to.equal(200);
    expect(await app.close()).to.include({ graceful: true });
    expect(errors.seen).to.deep.equal([]);
  });

  it('has no length that GET would not have, where HEAD is asked', async () => {
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Bodiless {
      @OnRequest() answer(request: Request) {
        if (request.url.endsWith('/empty')) return new Response(null);
        return request.url.endsWith('/known') ? new Response('text', { headers: { 'content-length': '4' } }) : new Response('text');
      }
    }
    const { url } = await serve(Bodiless);
    const length = async (path: string, method: string): Promise<string | null> =>
      (await fetch(url + path, { method })).headers.get('content-length');
    expect(await length('/empty', 'HEAD')).to.equal(null);
    expect(await length('/text', 'HEAD')).to.equal(null);
    expect(await length('/known', 'HEAD')).to.equal('4');
    expect(await length('/empty', 'GET')).to.equal('0');
  });

  it('leaves nothing on its connection when no handler reads it: Node warns of no leak', async () => {
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Deaf {
      @OnRequest() answer() {
        return new Response('answered');
      }
    }
    const { port } = await serve(Deaf);
    const warnings: string[] = [];
    const warned = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', warned);
    atEnd(() => process.off('warning', warned));
    const client = await tcpClient(port);
    for (let i = 0; i < 20; i++) {
      await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nx=1');
      while ((await client.line()).trim() !== '');
      await client.bytes('answered'.length);
    }
    expect(warnings).to.deep.equal([]);
  });

  it('has 500 and a log that names the header, not a reset, when it was given another length', async () => {
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Copies {
      @OnRequest() answer(request: Request) {
        return new Response('x', { headers: request.headers });
      }
    }
    using errors = new Events('connection.error');
    const { url } = await serve(Copies);
    expect((await fetch(url, { method: 'POST', body: 'abc' })).status).to.equal(500);
    expect(String(errors.seen[0]!.error)).to.contain('content-length says 3, and its body has 1 bytes');
  });
});
