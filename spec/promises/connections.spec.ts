import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import {
  bootstrap,
  Connection,
  inject,
  Module,
  OnClose,
  OnConnect,
  OnData,
  OnEnd,
  OnShutdown,
  Peer,
  type App,
  type CloseReason,
} from 'packet-ts';
import { lines, raw } from 'packet-ts/framing';
import type { Ctor } from '../../src/decorators/ctor.js';
import { atEnd, tcpClient, TcpClient, waitFor } from '../kit/index.js';

async function serve(...connections: Ctor[]): Promise<App> {
  class AppModule {}
  Module({ connections })(AppModule);
  const app = await bootstrap(AppModule, { signals: false, logger: false });
  atEnd(() => app.close());
  return app;
}

describe('a connection', function () {
  this.slow(5000);

  it('brings 5 MB of random bytes back as they were, over tcp and unix', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-echo-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    @Connection({ listen: ['tcp://127.0.0.1:0', `unix:${folder}/echo.sock`], framing: raw() })
    class Echo {
      @OnData() echo(bytes: Buffer): Buffer {
        return bytes;
      }
    }
    const app = await serve(Echo);
    for (const { port, path } of app.addresses(Echo)) {
      const socket = path === undefined ? connect(port, '127.0.0.1') : connect(path);
      const bytes = randomBytes(5 * 1024 * 1024);
      const received: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      socket.end(bytes);
      await once(socket, 'close');
      expect(Buffer.concat(received).equals(bytes)).to.equal(true);
    }
  });

  it('opens exactly once and closes exactly once, however it ends', async () => {
    const opened: string[] = [];
    const closed: string[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), idleTimeout: '100ms', maxBufferedBytes: '64kb' })
    class Once {
      #name = '?';
      constructor(@inject(Peer) private readonly peer: Peer<string, string>) {}
      @OnConnect() open(): void {
        opened.push(this.peer.id);
      }
      @OnData() data(line: string): string {
        this.#name = line;
        if (line === 'destroy') {
          this.peer.destroy();
          this.peer.destroy();
          this.peer.end();
        }
        if (line === 'end') {
          this.peer.end('bye');
          this.peer.end('bye again');
          this.peer.destroy();
        }
        if (line === 'throw') throw new Error('no');
        if (line === 'flood') for (let i = 0; i < 40; i++) this.peer.send('x'.repeat(1_000_000));
        return line;
      }
      @OnClose() close({ by }: CloseReason): void {
        closed.push(`${this.#name} ${by}`);
      }
    }
    const app = await serve(Once);
    const ways = ['destroy', 'end', 'throw', 'flood', 'idle', 'reset', 'leave'];
    for (let round = 0; round < 10; round++) {
      for (const way of ways) {
        const client = await tcpClient(app.address(Once).port);
        if (way === 'flood') client.socket.pause();
        await client.send(`${way}\n`);
        if (way === 'reset') client.reset();
        else if (way === 'leave') client.end();
        else
          void client.inbox.rest({ within: '20s' }).then(
            () => client.end(),
            () => {},
          );
        if (way === 'flood') await waitFor(() => closed.includes('flood limit')).then(() => client.destroy());
      }
    }
    await waitFor(() => closed.length === opened.length && closed.length >= ways.length * 9, { within: '10s', what: () => closed.join() });
    expect(new Set(opened).size).to.equal(opened.length);
    expect([...new Set(closed)].sort()).to.include.members(['end local', 'flood limit', 'idle timeout', 'leave peer', 'throw error']);
    expect(app.reactor.connections().count).to.equal(0);
  });

  it('still knows in @OnClose where both sides were', async () => {
    const places: string[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Where {
      constructor(@inject(Peer) private readonly peer: Peer<string, string>) {}
      @OnData() data(): void {
        this.peer.destroy();
      }
      @OnClose() closed(): void {
        places.push(`${this.peer.local.url} ${this.peer.remote.url}`);
      }
    }
    const app = await serve(Where);
    const expected: string[] = [];
    for (const leave of [(client: TcpClient) => client.end(), (client: TcpClient) => client.send('destroy\n')]) {
      const client = await tcpClient(app.address(Where).port);
      expected.push(`${app.address(Where).url} tcp://127.0.0.1:${client.socket.localPort}`);
      await leave(client);
      await waitFor(() => places.length === expected.length);
    }
    expect(places).to.deep.equal(expected);
  });

  it('is half-open as long as the peer that has finished is still answered', async () => {
    const told: string[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), allowHalfOpen: true })
    class Half {
      constructor(@inject(Peer) private readonly peer: Peer<string, string>) {}
      @OnData() async data(line: string): Promise<string> {
        await new Promise<void>(resolve => setImmediate(resolve));
        return `got ${line}`;
      }
      @OnEnd() ended(): void {
        told.push('end');
        this.peer.send('one more');
        setImmediate(() => this.peer.end('and the last'));
      }
      @OnClose() closed({ by }: CloseReason): void {
        told.push(by);
      }
    }
    const app = await serve(Half);
    const client = await tcpClient(app.address(Half).port);
    client.end('a\nb');
    expect(await client.all()).to.equal('got a\ngot b\none more\nand the last\n');
    await waitFor(() => told.length === 2);
    expect(told).to.deep.equal(['end', 'local']);
  });

  it('leaves nothing behind: after 3000 of them no descriptor, timer or listener more, and no memory that grows', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), idleTimeout: '1m', messageTimeout: '1m' })
    class Short {
      readonly ballast = Buffer.alloc(10_000);
      constructor(@inject(Peer) private readonly peer: Peer<string, string>) {}
      @OnData() async data(line: string): Promise<string> {
        void this.peer.signal;
        await Promise.resolve();
        return line;
      }
    }
    const app = await serve(Short);
    const round = async (count: number): Promise<void> => {
      for (let at = 0; at < count; at += 50) {
        await Promise.all(
          Array.from({ length: 50 }, async () => {
            const socket = connect(app.address(Short).port, '127.0.0.1');
            socket.end('hello\n');
            socket.resume();
            await once(socket, 'close');
          }),
        );
      }
      await waitFor(() => app.reactor.connections().count === 0);
      await waitFor(() => descriptors() <= before.descriptors, { within: '5s' });
      gc();
      await new Promise<void>(resolve => setImmediate(resolve));
      gc();
    };
    const before = { descriptors: descriptors(), resources: process.getActiveResourcesInfo().length };
    await round(500);
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    await round(2500);
    const after = process.memoryUsage();
    // Each had 10 KB of its own: a hundredth of them would show.
    expect(after.heapUsed - heapUsed).to.be.below(2_000_000);
    expect(after.arrayBuffers - arrayBuffers).to.be.below(2_000_000);
    expect(process.getActiveResourcesInfo().length).to.be.at.most(before.resources + 2);
  });
});

describe('the end of an application', () => {
  it('goes by its deadlines: who finishes is answered, who does not is given two seconds, and a second close() is the first', async () => {
    const reasons: string[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Server {
      @OnData() async slow(line: string): Promise<string> {
        for (let turn = 0; turn < 50; turn++) await new Promise<void>(resolve => setImmediate(resolve));
        return `${line} done`;
      }
      @OnShutdown() bye(): string {
        return 'going down';
      }
      @OnClose() closed({ by, code }: CloseReason): void {
        reasons.push(`${by} ${code}`);
      }
    }
    const app = await serve(Server);
    const [polite, stubborn]: TcpClient[] = [await tcpClient(app.address(Server).port), await tcpClient(app.address(Server).port)];
    await polite!.send('work\n');
    await stubborn!.send('x\n');
    await stubborn!.line();
    const began = performance.now();
    const closing = app.close();
    expect(app.close()).to.equal(closing);
    expect(await polite!.all()).to.satisfy((text: string) => text.includes('work done\n') && text.includes('going down\n'));
    polite!.end();
    // The stubborn one reads, and never finishes.
    expect(await closing).to.deep.equal({ graceful: true, connections: 0, calls: 0, workers: 0 });
    expect(performance.now() - began).to.be.at.least(1900);
    expect(reasons).to.deep.equal(['shutdown SHUTDOWN', 'shutdown SHUTDOWN']);
    const refused = await tcpClient(app.address(Server).port).catch((error: NodeJS.ErrnoException) => error.code);
    expect(refused).to.equal('ECONNREFUSED');
  });
});
