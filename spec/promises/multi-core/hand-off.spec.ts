import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, Connection, inject, Module, OnClose, OnData, OnError, Peer, Reactor, type App, type CloseReason } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import {
  EdgeConnection,
  EdgeHelper,
  EdgeWorker,
  LateEdgeWorker,
  WaitingConnection,
  WaitingEdgeWorker,
} from '../../fixtures/connections/edge.worker.js';
import { atEnd, tcpClient, waitFor, type TcpClient } from '../../kit/index.js';

const TARGETS = { edge: EdgeWorker, late: LateEdgeWorker, waiting: WaitingEdgeWorker, helper: EdgeHelper } as const;
const closed: CloseReason[] = [];

/** `move <worker>` hands the connection off, `data <worker> <greeting>` with data; anything else is echoed. */
@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class FrontConnection {
  constructor(@inject(Peer) private readonly peer: Peer<string, string>) {}

  @OnData() async handle(line: string): Promise<string | undefined> {
    const [command, target, greeting] = line.split(' ') as [string, keyof typeof TARGETS, string | undefined];
    if (command === 'wrong') await this.peer.handOff(EdgeWorker, { to: WaitingConnection });
    if (command === 'odd') await this.peer.handOff(EdgeWorker, { data: { run: () => {} } });
    if (command !== 'move') return `front ${line}`;
    this.peer.send('moving');
    await this.peer.handOff(TARGETS[target], {
      to: target === 'edge' || target === 'late' ? EdgeConnection : undefined,
      data: greeting ? { greeting } : undefined,
    });
    return 'this goes nowhere';
  }

  @OnError() explain(error: Error): string {
    return `${error.name}: ${error.message}`;
  }

  @OnClose() closed(reason: CloseReason): void {
    closed.push(reason);
  }
}

@Module({ connections: [FrontConnection], workers: [EdgeWorker, LateEdgeWorker, WaitingEdgeWorker, EdgeHelper] })
class AppModule {}

describe('a connection that is handed off', function () {
  let app: App;

  before(async () => {
    app = await bootstrap(AppModule, { logger: false, signals: false });
  });
  after(() => app.close({ timeout: '5s' }));
  beforeEach(() => void closed.splice(0));

  const connect = (): Promise<TcpClient> => tcpClient(app.address(FrontConnection).port);
  const ask = async (client: TcpClient, line: string): Promise<string> => {
    await client.send(`${line}\n`);
    return client.line({ within: '10s' });
  };

  it('goes on in the process of the worker, and nothing of it stays here', async () => {
    const client = await connect();
    expect(await ask(client, 'hello')).to.equal('front hello');
    expect(await ask(client, 'move edge')).to.equal('moving');
    const pids = app.workers.status().flatMap(({ name, pid }) => (name === 'edge' ? [String(pid)] : []));
    expect(pids).to.include(await ask(client, 'pid'));
    expect(await ask(client, 'remote')).to.equal(`tcp://127.0.0.1:${client.socket.localPort}`);
    expect(await ask(client, 'shout loud')).to.equal('LOUD');
    expect(closed.map(({ by }) => by)).to.deep.equal(['handoff']);
    expect(app.reactor.connections(FrontConnection).count).to.equal(0);
    expect(await ask(client, 'bye')).to.equal('bye');
    expect(await client.all()).to.equal('');
  });

  it('brings along what was received and not handled: whole messages, a part of one, and what comes meanwhile', async () => {
    const client = await connect();
    await client.send('move edge\necho 1\necho 2\nec');
    expect(await client.line()).to.equal('moving');
    expect(await client.line()).to.match(/^\d+ echo 1$/);
    expect(await client.line()).to.match(/^\d+ echo 2$/);
    await client.send('ho 3\n');
    expect(await client.line()).to.match(/^\d+ echo 3$/);
    await client.destroy();
  });

  it('loses no byte of a client that goes on sending, however it is cut', async () => {
    for (let round = 0; round < 10; round++) {
      const client = await connect();
      const numbers = Array.from({ length: 2_000 }, (_, i) => `${i}`);
      const sent = `move edge\n${numbers.join('\n')}\n`;
      for (let at = 0; at < sent.length; at += 997 + round * 101) await client.send(sent.slice(at, at + 997 + round * 101));
      client.end();
      const answers = (await client.all({ within: '10s' })).trimEnd().split('\n');
      expect(answers[0]).to.equal('moving');
      expect(answers.slice(1).map(line => line.replace(/^\d+ /, ''))).to.deep.equal(numbers);
    }
  });

  it('gives the new instance its data', async () => {
    const client = await connect();
    expect(await ask(client, 'move edge welcome')).to.equal('moving');
    expect(await client.line()).to.equal('welcome');
    await client.destroy();
  });

  it('may be of a class that only waits for such ones', async () => {
    const client = await connect();
    expect(await ask(client, 'move waiting')).to.equal('moving');
    expect(await ask(client, 'hello')).to.match(/^waited for \d+$/);
    await client.destroy();
  });

  it('is served also when the client has finished already', async () => {
    const client = await connect();
    client.end('move edge\npid\n');
    const [moving, pid, ...rest] = (await client.all({ within: '5s' })).split('\n');
    expect([moving, rest]).to.deep.equal(['moving', ['']]);
    expect(Number(pid)).to.be.greaterThan(1);
  });

  it('goes over a unix socket, too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hand-off-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'front.sock');
    const listening = await app.get(Reactor).listen(FrontConnection, `unix:${path}`);
    atEnd(() => listening.close());
    const client = await tcpClient({ path });
    await client.send('move edge\nremote\n');
    expect(await client.lines(2)).to.deep.equal(['moving', 'unix:']);
    await client.destroy();
  });

  it('is closed when the worker is not started', async () => {
    const client = await connect();
    await client.send('move late\n');
    expect(await client.all()).to.equal('moving\n');
    client.end();
    await waitFor(() => closed.length === 1);
    expect(closed[0]).to.deep.include({ by: 'error', code: 'ERR_PACKET_WORKER_NOT_FOUND' });
  });

  it('is closed when the class takes no more: what is handed off counts like what comes in', async () => {
    const inside = [await connect(), await connect()];
    for (const client of inside) {
      expect(await ask(client, 'move waiting')).to.equal('moving');
      await ask(client, 'hello');
    }
    const third = await connect();
    expect(await ask(third, 'move waiting')).to.equal('moving');
    expect(await third.all()).to.equal('');
    third.end();
    await waitFor(() => closed.some(({ code }) => code === 'ERR_PACKET_LIMIT'));
    for (const client of inside) await client.destroy();
  });

  it('is closed, and not left hanging, when its process dies on the way', async () => {
    const client = await connect();
    const pid = Number(
      await (async () => {
        const scout = await connect();
        await ask(scout, 'move waiting');
        const words = await ask(scout, 'hello');
        await scout.destroy();
        return words.split(' ').at(-1)!;
      })(),
    );
    process.kill(pid, 'SIGSTOP');
    expect(await ask(client, 'move waiting')).to.equal('moving');
    process.kill(pid, 'SIGKILL');
    // Its replacement takes the socket, which nobody has read from.
    expect(await ask(client, 'hello')).to.match(/^waited for \d+$/);
    await client.destroy();
  });

  it('stays where it is when the call was wrong', async () => {
    const client = await connect();
    expect(await ask(client, 'wrong')).to.match(/^UsageError: WaitingConnection is none of the connections of EdgeWorker/);
    expect(await ask(client, 'odd')).to.match(/^NotCloneableError: .*data\.run is a function/);
    expect(await ask(client, 'move helper')).to.equal('moving');
    expect(await client.line()).to.match(/^UsageError: EdgeHelper has no connections/);
    expect(await ask(client, 'hello')).to.equal('front hello');
    await client.destroy();
  });
});
