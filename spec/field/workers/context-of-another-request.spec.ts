import { expect } from 'chai';
import { z } from 'zod';
import {
  channel,
  Connection,
  inject,
  InjectWorker,
  Module,
  OnChannel,
  OnClose,
  OnData,
  OnError,
  OnIdle,
  OnShutdown,
  OnWorkerData,
  OnWorkerEvent,
  Peer,
  Task,
  Worker,
  Workers,
  type Channel,
  type WorkerClient,
} from 'packet-ts';
import { OnRequest } from 'packet-ts/http';
import { lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { atEnd, tcpClient, waitFor } from '../../kit/index.js';
import { UdpClient } from '../../kit/clients/udp-client.js';
import { Says, user, who } from '../../fixtures/workers/context.worker.js';
import { House } from '../../attacks/support/house.js';

const NAMES = ['alice', 'bob', 'carol'];

describe('the context of another request', () => {
  for (const runtime of ['inline', 'process'] as const) {
    it(`is not seen by tasks, mail, events and answers (${runtime})`, async function () {
      this.slow(4000);
      const heard: string[] = [];
      @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
      class Asks {
        constructor(@InjectWorker(Says) private readonly says: WorkerClient<Says>) {}
        @OnData() async ask(name: string): Promise<string> {
          return user.run(name, async () => {
            this.says.tell(name);
            await this.says.steps(name, { on: { step: () => heard.push(`on ${name} ${who()}`) } });
            const answers = await Promise.all([this.says.at(name), this.says.later(name), this.says.at(name)]);
            for await (const item of this.says.items(name)) answers.push(item);
            return [...answers, `still ${who()}`].join('; ');
          });
        }
        @OnWorkerData(Says) answered(data: unknown): void {
          heard.push(`answer ${String(data)}: ${who()}`);
        }
        @OnWorkerEvent(Says, 'step') step(name: unknown): void {
          heard.push(`step ${String(name)} ${who()}`);
        }
      }
      @Module({ connections: [Asks], workers: [Says] })
      class AppModule {}
      const app = await createTestApp(AppModule).start({ runtime });
      atEnd(() => app.close());
      const clients = await Promise.all(
        NAMES.map(async name => {
          const client = await app.connect(Asks);
          client.send(name);
          return client;
        }),
      );
      for (const [i, name] of NAMES.entries()) {
        const expected = [
          `${name} nobody`,
          `${name} nobody, then the task of ${name}`,
          `${name} nobody`,
          `${name} nobody`,
          `${name} the task of ${name}`,
          `still ${name}`,
        ];
        expect(await clients[i]!.next({ within: '5s' })).to.equal(expected.join('; '));
      }
      await waitFor(() => heard.length === 9);
      for (const name of NAMES) {
        expect(heard).to.include.members([`on ${name} ${name}`, `step ${name} ${name}`, `answer ${name} nobody: ${name}`]);
      }
    });
  }

  it('is not seen by listeners to workers, which start because somebody calls', async () => {
    const heard: string[] = [];
    @Worker('context_of_starts', { timeout: '5s', minWorkers: 0, maxWorkers: 2 })
    class Lazy {
      @Task({ input: z.string(), output: z.string() }) at(name: string): string {
        return `${name} ${who()}`;
      }
    }
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Asks {
      constructor(
        @InjectWorker(Lazy) private readonly lazy: WorkerClient<Lazy>,
        @inject(Peer) private readonly peer: Peer,
      ) {}
      @OnData() ask(name: string): Promise<string> {
        void this.peer;
        return user.run(name, () => this.lazy.at(name));
      }
    }
    @Module({ connections: [Asks], workers: [Lazy] })
    class AppModule {}
    const app = await createTestApp(AppModule).start();
    atEnd(() => app.close());
    const workers = app.get<Workers>(Workers);
    for (const event of ['start', 'ready', 'exit'] as const) workers.on(event, () => void heard.push(`${event} ${who()}`));
    const client = await app.connect(Asks);
    for (const name of NAMES) {
      client.send(name);
      await client.expect(`${name} nobody`);
    }
    await app.close();
    expect(heard).to.include('start nobody').and.include('ready nobody').and.include('exit nobody');
    expect(heard.filter(line => !line.endsWith('nobody'))).to.deep.equal([]);
  });

  it('is not seen by the senders of one datagram socket', async () => {
    @Connection({ listen: 'udp://127.0.0.1:0', framing: lines() })
    class Datagrams {
      @OnData() async data(name: string): Promise<string> {
        const before = who();
        user.enterWith(name);
        await Promise.resolve();
        return `${name} ${before} ${who()}`;
      }
    }
    const house = await House.open([Datagrams]);
    const { port } = house.app.address(Datagrams);
    for (const name of NAMES) {
      const client = await UdpClient.open();
      const answer = await waitFor(async () => {
        await client.send(name, port);
        return client.text({ within: '200ms' });
      });
      expect(answer).to.equal(`${name} nobody ${name}`);
    }
  });

  it('is not seen by the next request on the same socket, pipelined or not', async () => {
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Web {
      @OnRequest() async answer(request: Request): Promise<Response> {
        const before = who();
        user.enterWith(new URL(request.url).pathname);
        await new Promise(resolve => setImmediate(resolve));
        return new Response(`${before} ${who()}`);
      }
    }
    const house = await House.open([Web]);
    const client = await tcpClient(house.app.address(Web).port);
    const count = 40;
    await client.send(Array.from({ length: count }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    await waitFor(() => client.inbox.text.match(/nobody/g)?.length === count);
    for (let i = 0; i < count; i++) expect(client.inbox.text).to.include(`nobody /${i}`);
    await client.destroy();
  });

  it('is not seen by hooks that a timer, a channel, another connection or the application sets off', async () => {
    const heard: string[] = [];
    const News = channel<string>('context_of_news');
    const all: Peer[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines(), idleTimeout: '30s' })
    class Member {
      #name = '';
      constructor(
        @inject(Peer) private readonly peer: Peer,
        @inject(News) private readonly news: Channel<string>,
      ) {
        all.push(peer);
      }
      @OnData() data(name: string): void {
        this.#name = name;
        user.run(`the message of ${name}`, () => this.news.publish(name));
        if (name === 'carol') user.run(`the message of ${name}`, () => all[0]!.destroy());
        if (name === 'fail') throw new Error('as asked');
      }
      @OnChannel(News) heard(item: string): void {
        heard.push(`channel ${item} ${who()}`);
      }
      @OnIdle() idle(): void {
        heard.push(`idle ${who()}`);
      }
      @OnError() failed(): void {
        heard.push(`error ${who()}`);
      }
      @OnShutdown() shutdown(): void {
        heard.push(`shutdown ${who()}`);
      }
      @OnClose() closed(): void {
        heard.push(`close ${who()} ${this.peer.id === '' ? '' : this.#name}`.trim());
      }
    }
    @Module({ connections: [Member] })
    class AppModule {}
    const app = await createTestApp(AppModule).start({ clock: 'fake' });
    atEnd(() => app.close());
    const clients = [];
    for (const name of [...NAMES, 'fail']) {
      const client = await app.connect(Member);
      client.send(name);
      clients.push(client);
    }
    await waitFor(() => heard.includes('error nobody') && heard.some(line => line.startsWith('close')));
    await user.run('the test', () => app.clock.advance('31s'));
    await waitFor(() => heard.includes('idle nobody'));
    await user.run('the test', () => app.close());
    const kinds = new Set(heard.map(line => line.split(' ')[0]));
    expect([...kinds]).to.have.members(['channel', 'close', 'error', 'idle', 'shutdown']);
    expect(heard.filter(line => !/ nobody( \w+)?$/.test(line))).to.deep.equal([]);
  });
});
