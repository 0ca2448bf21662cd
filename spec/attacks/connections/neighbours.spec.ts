import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect } from 'chai';
import { bootstrap, Connection, inject, Module, OnClose, OnData, Peer, type CloseReason } from 'packet-ts';
import { json, lines } from 'packet-ts/framing';
import { atEnd, spawnScript, tcpClient, waitFor, type TcpClient } from '../../kit/index.js';
import { UdpClient } from '../../kit/clients/udp-client.js';
import { House } from '../support/house.js';

/** A reader that never reads, as far as the other side can tell. */
function freeze({ socket }: TcpClient): void {
  socket.removeAllListeners('data');
  socket.pause();
}

describe('a slow reader', function () {
  this.slow(15_000);

  it('frozen among 100 members of the chat: the other 99 get everything, memory stays bounded, the frozen one is dropped by limit', async () => {
    const server = spawnScript(new URL('../../../examples/chat/main.js', import.meta.url), ['0']);
    const { address } = JSON.parse(await server.errorLine('"msg":"listening"')) as { address: { port: number } };
    const port = address.port;
    const members = await Promise.all(Array.from({ length: 100 }, () => tcpClient(port)));
    for (const [number, member] of members.entries()) await member.send(`member ${number}\n`);
    const frozen = members[50]!;
    const speaker = members[0]!;
    const others = members.filter(member => member !== frozen && member !== speaker);
    // Connected is not accepted: from here on all are members.
    await waitFor(() => speaker.inbox.text.match(/joined/g)?.length === 99, { within: '10s' });
    freeze(frozen);
    const counts = others.map(({ socket }) => {
      const heard = { lines: 0 };
      let before = 0;
      socket.removeAllListeners('data');
      socket.on('data', (chunk: Buffer) => {
        for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1))
          if ((at > 0 ? chunk[at - 1] : before) === 0x78) heard.lines++;
        before = chunk[chunk.length - 1]!;
      });
      return heard;
    });
    // Until the frozen one has more waiting than it may: 1 MB, behind what the kernels take. Who reads is never far behind.
    const batch = `${'x'.repeat(1000)}\n`.repeat(100);
    let sent = 0;
    while (!server.stdout.ended && !server.stderr.text.includes('connection limit reached')) {
      expect(sent).to.be.below(40_000);
      await speaker.send(batch);
      sent += 100;
      await waitFor(() => counts.every(({ lines }) => lines === sent), { within: '10s' });
    }
    const told: unknown = JSON.parse(await server.errorLine('connection limit reached', { within: '20s' }));
    expect(told).to.include({ handler: 'Chat', limit: 'maxBufferedBytes' });
    // What one may have waiting, a few turns of everybody's answers, and Node itself.
    const most = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'));
    expect(Number(most![1]) / 1024).to.be.below(250);
    await speaker.send('still here\n');
    await waitFor(() => counts.every(({ lines }) => lines === sent));
    await others[0]!.send('I, too\n');
    await speaker.inbox.lineLike('I, too');
  });
});

describe('event-loop starvation', () => {
  it('100 000 requests pipelined on one connection keep no other one waiting', async function () {
    this.slow(5000);
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Echo {
      @OnData() async echo(line: string): Promise<string> {
        return await Promise.resolve(line);
      }
    }
    const house = await House.open([Echo]);
    const [greedy, modest] = [await house.connect(Echo), await house.connect(Echo)];
    let answered = 0;
    greedy.socket.removeAllListeners('data');
    greedy.socket.on('data', (chunk: Buffer) => (answered += chunk.length));
    const waits: number[] = [];
    greedy.socket.write('x\n'.repeat(100_000));
    while (answered < 200_000) {
      const before = answered;
      await modest.send('y\n');
      await modest.line();
      waits.push(answered - before);
    }
    waits.sort((a, b) => a - b);
    // Several answers, each behind a part of the flood's answers alone (bytes): its turns were shared.
    expect(waits.length).to.be.above(5);
    expect(waits[Math.floor(waits.length * 0.9)]).to.be.below(60_000);
  });
});

describe('a flood of datagrams', () => {
  it('from many ports is held within bounds, answered with no more than was asked, and others are answered', async () => {
    let handled = 0;
    @Connection({ listen: 'udp://127.0.0.1:0', framing: lines() })
    class Slow {
      @OnData() async data(line: string): Promise<string> {
        handled++;
        if (line === 'flood') await new Promise<void>(resolve => setImmediate(resolve));
        return line;
      }
    }
    const house = await House.open([Slow]);
    const { port } = house.app.address(Slow);
    const flooders = await Promise.all(Array.from({ length: 50 }, () => UdpClient.open()));
    for (let round = 0; round < 100; round++) {
      await Promise.all(flooders.map(flooder => flooder.send('flood', port)));
    }
    const honest = await UdpClient.open();
    // Datagrams may get lost: it asks again, as its like do.
    const heard = await waitFor(async () => {
      await honest.send('me', port);
      return honest.text({ within: '200ms' });
    });
    expect(heard).to.equal('me');
    expect(handled).to.be.at.most(5000 + 20);
    await house.servesOthers();
  });
});

describe('peer data in logs', () => {
  it('no message is logged, and what an error repeats of one is one line of JSON without control characters', async () => {
    let log = '';
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        log += chunk.toString();
        done();
      },
    });
    const reasons: CloseReason[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: json() })
    class Careless {
      constructor(@inject(Peer) readonly peer: Peer) {}
      @OnData() data(message: { readonly password: string; readonly text: string }): never {
        throw new Error(`cannot handle ${message.text}`);
      }
      @OnClose() closed(reason: CloseReason): void {
        reasons.push(reason);
      }
    }
    @Module({ connections: [Careless] })
    class AppModule {}
    const app = await bootstrap(AppModule, { signals: false, logger: pino({ base: null }, sink) });
    atEnd(() => app.close());
    const client = await tcpClient(app.address(Careless).port);
    await client.send(`${JSON.stringify({ password: 'hunter2', text: 'a\r\n{"level":60,"msg":"forged"}\u001b[31m' })}\n`);
    await client.all();
    client.end();
    const other = await tcpClient(app.address(Careless).port);
    await other.send('{"password":"hunter2"\n');
    await other.all();
    other.end();
    await waitFor(() => reasons.length === 2);
    expect(log).to.include('connection handler failed').and.not.include('hunter2');
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(log).to.not.match(/[\u0000-\u0009\u000b-\u001f]/);
    for (const line of log.trimEnd().split('\n')) expect(JSON.parse(line)).to.not.include({ msg: 'forged' });
  });
});
