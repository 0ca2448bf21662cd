import { createReadStream, mkdtempSync, rmSync, writeFileSync, type ReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { Hono } from 'hono';
import { stream as honoStream } from 'hono/streaming';
import { Connection, OnClose, type CloseReason } from 'packet-ts';
import { mount, OnRequest } from 'packet-ts/http';
import { Events } from '../../kit/events.js';
import { soon, tcpClient, waitFor } from '../../kit/index.js';
import { deferred } from '../../kit/signals.js';
import { serve } from '../support/serve.js';

const HERE = 'http://127.0.0.1:0';
const GET = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const CLIENTS = 5;

describe('a download that its client breaks off', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'packet-ts-'));
    writeFileSync((file = join(folder, 'file')), Buffer.alloc(20_000_000));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** A file as the body of a response, and every stream that was opened for one. */
  function files() {
    const opened: ReadStream[] = [];
    const open = (): ReadableStream<Uint8Array> => {
      const source = createReadStream(file);
      opened.push(source);
      return Readable.toWeb(source) as ReadableStream<Uint8Array>;
    };
    return { opened, open };
  }

  async function breakOff(port: number, opened: readonly ReadStream[]): Promise<void> {
    using errors = new Events('connection.error');
    for (let i = 1; i <= CLIENTS; i++) {
      const client = await tcpClient(port);
      await client.send(GET);
      // It reads slowly: the server waits for room when it leaves.
      await client.bytes(300_000);
      client.socket.pause();
      await waitFor(() => opened.length === i && opened[i - 1]!.isPaused(), { what: 'the file to wait for the client' });
      if (i % 2) client.reset();
      else await client.destroy();
      await waitFor(() => opened[i - 1]!.closed, { what: 'the file to be closed' });
    }
    expect(errors.seen).to.deep.equal([]);
  }

  it('closes the file, ends the request and harms nobody else, where a class answers', async () => {
    const { opened, open } = files();
    const reasons: CloseReason[] = [];
    @Connection({ listen: HERE })
    class Files {
      @OnRequest() get() {
        return new Response(open());
      }
      @OnClose() over(reason: CloseReason) {
        reasons.push(reason);
      }
    }
    const { port } = await serve(Files);
    await breakOff(port, opened);
    await waitFor(() => reasons.length === CLIENTS);
    expect(reasons.every(({ by }) => by === 'peer')).to.equal(true);
  });

  it('closes the file, ends the request and harms nobody else, where Hono answers', async () => {
    const { opened, open } = files();
    const { port } = await serve(
      mount(
        new Hono().get('/', () => new Response(open())),
        { listen: HERE },
      ),
    );
    await breakOff(port, opened);
  });

  it('is no error of ours when its length was announced', async () => {
    const errors = new Events('connection.error');
    const over = deferred<CloseReason>();
    @Connection({ listen: HERE })
    class Files {
      @OnRequest() get() {
        async function* pieces() {
          for (let i = 0; i < 480; i++) yield Buffer.alloc(65_536);
        }
        return new Response(Readable.toWeb(Readable.from(pieces())) as ReadableStream, {
          headers: { 'content-length': String(480 * 65_536) },
        });
      }
      @OnClose() over(reason: CloseReason) {
        over.resolve(reason);
      }
    }
    const { port } = await serve(Files);
    const client = await tcpClient(port);
    await client.send(GET);
    await client.bytes(100_000);
    await client.destroy();
    expect(await soon(over.promise)).to.include({ by: 'peer' });
    expect(errors.seen).to.deep.equal([]);
    errors[Symbol.dispose]();
  });

  it('closes a file that is opened only after the client has left', async () => {
    const { opened, open } = files();
    let left = deferred();
    const entered: unknown[] = [];
    const late = async ({ signal }: Request): Promise<Response> => {
      signal.addEventListener('abort', () => left.resolve());
      entered.push(signal);
      await left.promise;
      return new Response(open());
    };
    @Connection({ listen: HERE })
    class Files {
      @OnRequest() get(request: Request) {
        return late(request);
      }
    }
    for (const served of [
      Files,
      mount(
        new Hono().get('/', c => late(c.req.raw)),
        { listen: HERE },
      ),
    ]) {
      const { port } = await serve(served);
      // Hono answers HEAD by itself, from a response to GET whose body it drops.
      for (const method of served === Files ? ['GET', 'HEAD'] : ['GET']) {
        left = deferred();
        const before = opened.length;
        const client = await tcpClient(port);
        await client.send(GET.replace('GET', method));
        await waitFor(() => entered.length === before + 1);
        client.reset();
        const source = await waitFor(() => opened[before]);
        await waitFor(() => source.closed, { what: 'the file to be closed' });
      }
    }
  });

  it('tells Hono’s onAbort at once, also when nothing is being sent', async () => {
    const begun = deferred();
    const aborted = deferred();
    const hono = new Hono().get('/', c =>
      honoStream(c, async body => {
        body.onAbort(aborted.resolve);
        await body.write('hello');
        begun.resolve();
        await aborted.promise;
      }),
    );
    const { port } = await serve(mount(hono, { listen: HERE }));
    const client = await tcpClient(port);
    await client.send(GET);
    await soon(begun.promise);
    client.end();
    await soon(aborted.promise);
  });
});
