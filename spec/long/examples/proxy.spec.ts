import { randomBytes } from 'node:crypto';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { atEnd, needsProgram, spawnProgram, spawnScript, tcpClient, waitFor } from '../../kit/index.js';

/** A server of bytes, written without the framework. */
async function upstream(serve: (socket: Socket) => void): Promise<string> {
  const server: Server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('error', () => {});
    atEnd(() => void socket.destroy());
    serve(socket);
  });
  atEnd(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function proxyTo(to: string): Promise<number> {
  const script = spawnScript(new URL('../../../examples/proxy/main.js', import.meta.url), ['tcp://127.0.0.1:0', to]);
  return (JSON.parse(await script.errorLine(/"msg":"listening"/)) as { address: { port: number } }).address.port;
}

const echo = (socket: Socket): void => void socket.pipe(socket);

describe('the example proxy', function () {
  it('carries bytes both ways, as they are', async () => {
    const client = await tcpClient(await proxyTo(await upstream(echo)));
    const bytes = randomBytes(3_000_000);
    client.end(bytes);
    expect((await client.inbox.rest({ within: '15s' })).equals(bytes)).to.equal(true);
  });

  it('carries half-closes: what comes after the end of the other direction arrives', async () => {
    const port = await proxyTo(
      await upstream(socket => {
        let got = 0;
        socket.on('data', (chunk: Buffer) => (got += chunk.length));
        socket.on('end', () => socket.end(`got ${got}`));
      }),
    );
    const client = await tcpClient(port);
    client.end('12345');
    expect(await client.all()).to.equal('got 5');
    expect(await client.closed).to.equal(false);
    const greeter = await tcpClient(
      await proxyTo(
        await upstream(socket => {
          socket.end('bye');
          socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
        }),
      ),
    );
    const heard: string[] = [];
    expect(await greeter.all()).to.equal('bye');
    await greeter.send('still talking');
    await waitFor(() => heard.join('') === 'still talking');
    greeter.end();
    expect(await greeter.closed).to.equal(false);
  });

  it('keeps back-pressure: a client that does not read stops the server, and nothing is lost', async () => {
    let written = 0;
    let full = false;
    const total = 64 * 1024 * 1024;
    const port = await proxyTo(
      await upstream(socket => {
        const chunk = Buffer.alloc(64 * 1024, 'x');
        const more = (): void => {
          full = false;
          while (written < total && !full) {
            written += chunk.length;
            full = !socket.write(chunk);
          }
          if (written === total) socket.end();
        };
        socket.on('drain', more);
        more();
      }),
    );
    const client = connect(port, '127.0.0.1');
    atEnd(() => void client.destroy());
    let read = 0;
    client.on('data', (chunk: Buffer) => (read += chunk.length)).pause();
    let before = -1;
    await waitFor(() => {
      const stands = full && written === before;
      before = written;
      return stands;
    });
    expect(written).to.be.below(total / 2);
    client.resume();
    await once(client, 'end');
    expect(read).to.equal(total);
  });

  it('answers when nobody is there', async () => {
    const port = await proxyTo('tcp://127.0.0.1:1');
    const client = await tcpClient(port);
    expect(await client.all()).to.equal('cannot connect to tcp://127.0.0.1:1: nothing listens there (ECONNREFUSED)\n');
    client.end();
  });

  it('when one side is reset, the other hears the end', async () => {
    const sockets: Socket[] = [];
    const port = await proxyTo(
      await upstream(socket => {
        sockets.push(socket);
        socket.write('spliced\n');
      }),
    );
    const first = await tcpClient(port);
    expect(await first.line()).to.equal('spliced');
    sockets[0]!.resetAndDestroy();
    expect(await first.all()).to.equal('');
    first.end();
    const second = await tcpClient(port);
    expect(await second.line()).to.equal('spliced');
    const gone = once(sockets[1]!.resume(), 'end');
    second.reset();
    await gone;
  });

  it('serves socat, netcat and curl', async () => {
    if (!needsProgram('socat', 'nc', 'curl')) return;
    const port = await proxyTo(await upstream(echo));
    for (const [program, ...args] of [
      ['socat', '-', `TCP:127.0.0.1:${port}`],
      ['nc', '-N', '127.0.0.1', `${port}`],
    ] as const) {
      const script = spawnProgram(program, args);
      script.stdin.end('one\ntwo\n');
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      expect(script.stdout.text).to.equal('one\ntwo\n');
    }
    const page = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n';
    const web = await proxyTo(await upstream(socket => void socket.once('data', () => socket.write(page))));
    const curl = spawnProgram('curl', ['-sS', `http://127.0.0.1:${web}/`]);
    expect(await curl.exit()).to.deep.equal({ code: 0, signal: null });
    expect(curl.stdout.text).to.equal('hello\n');
  });
});
