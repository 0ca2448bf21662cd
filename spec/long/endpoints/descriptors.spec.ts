import { Socket } from 'node:net';
import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnRequest } from '../../../src/http/index.js';
import type { Transport } from '../../../src/endpoints/endpoint.js';
import { Descriptors, descriptors } from '../../../src/endpoints/descriptors.js';
import { defaultMaxConnections } from '../../../src/session/limits.js';
import { Events } from '../../kit/events.js';
import { atEnd, needsProgram, soon, spawnScript, tcpClient, waitFor, type Script, type TcpClient } from '../../kit/index.js';
import { rig } from '../../kit/reactor.js';

/** Of a socket that the kernel gave that number. */
const transport = (fd: number): Transport => ({ raw: Object.assign(new Socket(), { _handle: { fd } }) }) as unknown as Transport;

describe('the descriptors of this process', () => {
  it('are scarce when the kernel hands out one of the last, and are not counted before', () => {
    using scarce = new Events('descriptors.scarce');
    let counted = 0;
    const watch = new Descriptors(64, () => (counted++, 57));
    expect(watch.reserve).to.equal(8);
    expect(watch.took(transport(55))).to.equal(false);
    expect([counted, scarce.seen.length]).to.deep.equal([0, 0]);
    expect(watch.took(transport(56))).to.equal(true);
    expect(counted).to.equal(0);
    expect(scarce.seen).to.deep.equal([{ limit: 64, used: 57, reserve: 8 }]);
  });

  it('are counted once the last have been reached, now and then: a low number may be the only one that is free', () => {
    using scarce = new Events('descriptors.scarce');
    using enough = new Events('descriptors.enough');
    let used = 60;
    let now = 1_000;
    const watch = new Descriptors(
      64,
      () => used,
      () => now,
    );
    watch.took(transport(60));
    expect(watch.took(transport(20))).to.equal(true);
    used = 50;
    expect(watch.took(transport(20))).to.equal(true);
    now += 50;
    expect(watch.took(transport(20))).to.equal(false);
    expect([scarce.seen.length, enough.seen.length]).to.deep.equal([1, 0]);
    used = 48;
    expect(watch.hasRoom).to.equal(true);
    expect(enough.seen).to.deep.equal([{ limit: 64, used: 48, reserve: 8 }]);
  });

  it('are never scarce where the system has no limit, and transports without any do not matter', () => {
    const watch = new Descriptors(Infinity, () => expect.fail('it need not be counted'));
    expect(watch.took(transport(1_000_000))).to.equal(false);
    expect(watch.hasRoom).to.equal(true);
    expect(new Descriptors(64).took({ kind: 'stream' } as Transport)).to.equal(false);
  });

  it('are what maxConnections is lower for by default', () => {
    expect([Infinity, 20_000, 1_024, 256, 64, 1].map(limit => defaultMaxConnections(limit))).to.deep.equal([
      10_000, 10_000, 960, 192, 32, 1,
    ]);
  });
});

describe('a listener without descriptors', () => {
  it('says so in HTTP: nothing is wrong with the request, nor with its handler', async () => {
    @Connection()
    class Page {
      @OnRequest() answer() {
        return new Response('never');
      }
    }
    const kit = rig();
    atEnd(() => kit.close());
    const { address } = await kit.listen(Page, 'http://127.0.0.1:0');
    Object.defineProperty(descriptors, 'took', { value: () => true, configurable: true });
    atEnd(() => Reflect.deleteProperty(descriptors, 'took'));
    const answer = await fetch(address.url);
    expect([answer.status, await answer.text()]).to.deep.equal([503, 'no room for another request']);
    expect(kit.made).to.deep.equal([]);
  });
});

describe('a process with 64 descriptors', function () {
  if (!needsProgram('prlimit')) return;
  const MAIN = new URL('../../fixtures/connections/scarce.main.js', import.meta.url);

  async function serve(...args: readonly string[]): Promise<{ script: Script; port: number }> {
    const script = spawnScript(MAIN, args);
    return { script, port: Number(await script.line(/^\d+$/)) };
  }

  /** Who is served hears a greeting; who is not hears the end. */
  async function verdict(client: TcpClient): Promise<boolean> {
    return client.line().then(
      () => true,
      () => false,
    );
  }

  async function stampede(port: number): Promise<{ served: TcpClient[]; refused: number }> {
    const clients = await Promise.all(Array.from({ length: 120 }, () => tcpClient(port)));
    const verdicts = await Promise.all(clients.map(verdict));
    return { served: clients.filter((_, at) => verdicts[at]), refused: verdicts.filter(served => !served).length };
  }

  async function leave(clients: readonly TcpClient[]): Promise<void> {
    for (const client of clients) client.end();
    await soon(Promise.all(clients.map(client => client.closed)));
  }

  it('tells of every connection that it has no descriptor for, once that they are scarce, and serves again when there are some', async () => {
    const { script, port } = await serve('reject');
    expect(await script.errorLine(/app.warning/)).to.contain('maxConnections of Greets is 1000, and this process may open 64 descriptors');
    const { served, refused } = await stampede(port);
    expect(served.length).to.be.within(10, 56);
    expect(served.length + refused).to.equal(120);
    const told = await waitFor(() => {
      const events = script.stderr.text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as { event: string; reason?: string; error?: string });
      return events.filter(({ event }) => event === 'listener.reject').length === refused && events;
    });
    const rejected = told.filter(({ event }) => event === 'listener.reject');
    expect(new Set(rejected.map(({ reason, error }) => `${reason}: ${error}`))).to.deep.equal(
      new Set(['descriptors: LimitError: fewer than 8 of the 64 descriptors of this process are free']),
    );
    expect(told.filter(({ event }) => event === 'descriptors.scarce')).to.have.length(1);
    await leave(served);
    const again = await tcpClient(port);
    expect(await verdict(again)).to.equal(true);
    again.end();
    await script.errorLine(/descriptors.enough/);
  });

  it("with whenFull: 'pause' it stops listening instead, and listens again when there is room", async () => {
    const { script, port } = await serve('pause');
    const first = await Promise.all(Array.from({ length: 40 }, () => tcpClient(port).catch(() => undefined)));
    await script.errorLine(/descriptors.scarce/);
    const refusal = (): Promise<unknown> =>
      tcpClient(port).then(
        client => (client.end(), undefined),
        (error: unknown) => error,
      );
    await waitFor(async () => (await refusal()) !== undefined);
    await leave(first.flatMap(client => client ?? []));
    await waitFor(async () => (await refusal()) === undefined);
    await script.errorLine(/descriptors.enough/);
  });

  it('dials with a ConnectError, runs commands with one, and goes on', async () => {
    const { script, port } = await serve('dials');
    const client = await tcpClient(port);
    await client.line();
    await client.send('exhaust\n');
    expect(await client.line()).to.match(
      /^tcp ConnectError refused cannot connect to tcp:\/\/127.0.0.1:\d+: this process has no descriptors left \(EMFILE\)$/,
    );
    expect(await client.line()).to.match(
      /^exec ConnectError refused cannot connect to exec:true: this process has no descriptors left \(EMFILE\)$/,
    );
    await client.send('free\n');
    expect(await client.line()).to.equal('tcp fine');
    expect(await client.line()).to.equal('exec fine');
    client.end();
    script.kill('SIGTERM');
    expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
  });
});
