import { expect } from 'chai';
import { bootstrap, Connection, FramingError, Module, OnData, OnError } from 'packet-ts';
import { json, lines, objects } from 'packet-ts/framing';
import { Get, Post, type RouteInput } from 'packet-ts/http';
import 'packet-ts/websocket';
import { z } from 'zod';
import { atEnd, tcpClient, waitFor, webClient } from '../../kit/index.js';
import { monotonicNow, setImmediate } from '../../../src/system-timers.js';
import { loopGate } from '../../../src/timing/loop-gate.js';

/** Milliseconds of a processor for which the handler of an attack holds the event loop: three slices. */
const HELD = 30;

function hold(): void {
  const from = process.cpuUsage();
  for (let spent = 0; spent < HELD * 1000;) {
    const { user, system } = process.cpuUsage(from);
    spent = user + system;
  }
}

describe('connections that hold the event loop', () => {
  it('wait as long as they held it, all together, whichever of them it was', async function () {
    this.slow(5000);
    const held: { from: number; to: number; turn: number }[] = [];
    let turn = 0;
    let ticking = true;
    const tick = (): void => {
      turn++;
      if (ticking) setImmediate(tick);
    };
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Dear {
      @OnData() answer(): string {
        const from = monotonicNow();
        hold();
        held.push({ from, to: monotonicNow(), turn });
        return 'done';
      }
    }
    @Module({ connections: [Dear] })
    class AppModule {}
    const app = await bootstrap(AppModule, { logger: false });
    atEnd(() => app.close());
    const clients = await Promise.all(Array.from({ length: 5 }, () => tcpClient(app.address(Dear).port)));
    // Each has held the loop, the first time unnoticed: from here on all of them wait at the gate.
    for (const client of [clients[0]!, ...clients]) {
      await client.send('x\n');
      await client.inbox.line();
    }
    held.length = 0;
    tick();
    for (const client of clients) await client.send('x\nx\nx\n');
    for (const client of clients) for (let i = 0; i < 3; i++) await client.inbox.line();
    ticking = false;
    expect(held).to.have.length(15);
    for (const [i, now] of held.slice(1).entries()) {
      const before = held[i]!;
      // A share is looked at after some messages: those of one line may come together.
      if (now.turn === before.turn) continue;
      expect(now.from - before.to).to.be.at.least(HELD - 10 - 1);
    }
    expect(new Set(held.map(each => each.turn)).size).to.be.at.least(5);
  });
});

describe('a connection that has held the event loop', () => {
  it('is served again when it has waited, and waits for nothing while it is idle', async () => {
    @Connection({ listen: 'ws://127.0.0.1:0', framing: lines() })
    class Dear {
      @OnData() answer(line: string): string {
        if (line === 'hold') hold();
        return line;
      }
    }
    @Module({ connections: [Dear] })
    class AppModule {}
    const app = await bootstrap(AppModule, { logger: false });
    atEnd(() => app.close());
    const client = await webClient(app.address(Dear).url);
    const { enter } = loopGate;
    let waits = 0;
    atEnd(() => (loopGate.enter = enter));
    loopGate.enter = (...work) => {
      waits++;
      enter.apply(loopGate, work);
    };
    for (const line of ['hold', 'hold', 'next', 'last']) {
      client.send(line);
      expect(await client.next()).to.equal(line);
    }
    const before = waits;
    expect(before).to.be.at.least(2);
    for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve));
    expect(waits).to.equal(before);
  });

  it('is read again: further requests, and an upgrade', async () => {
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Pages {
      @Get('/') page(): string {
        hold();
        return 'page';
      }
    }
    @Connection({ listen: 'ws://127.0.0.1:0/chat', framing: lines() })
    class Chat {
      @OnData() answer(line: string): string {
        return `re: ${line}`;
      }
    }
    @Module({ connections: [Pages, Chat] })
    class AppModule {}
    const app = await bootstrap(AppModule, { logger: false });
    atEnd(() => app.close());
    const client = await tcpClient(app.address(Chat).port);
    const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
    for (let i = 1; i <= 4; i++) {
      await client.send(get);
      await waitFor(() => client.inbox.text.split('page').length === i + 1);
    }
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
    await client.send(`${get}GET /chat HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n`);
    await waitFor(() => client.inbox.text.includes(' 101 '));
    // A masked text frame, whose mask is zeros.
    await client.send(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    await waitFor(() => client.inbox.text.endsWith('re: hi'));
    await client.destroy();
  });
});

describe('a message that is dear for its size', () => {
  const many = `[${'{},'.repeat(100_000)}{}]`;

  it('is refused where it has more objects than are taken: json(), objects(), bodies of requests', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: json() })
    class Documents {
      @OnData(z.array(z.unknown())) count(list: unknown[]): number {
        return list.length;
      }
      @OnError() explain(error: Error): string {
        return error.message;
      }
    }
    const LIST = { body: z.array(z.unknown()) };
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Bodies {
      @Post('/', LIST) count({ body }: RouteInput<typeof LIST>): { count: number } {
        return { count: body.length };
      }
    }
    @Module({ connections: [Documents, Bodies] })
    class AppModule {}
    const app = await bootstrap(AppModule, { logger: false });
    atEnd(() => app.close());
    const client = await tcpClient(app.address(Documents).port);
    await client.send(`[${'{},'.repeat(90_000)}{}]\n${many}\n`);
    expect(await client.inbox.line()).to.equal('90001');
    expect(await client.inbox.line()).to.contain('more than 100000 objects, arrays and keys');
    const refused = await fetch(`http://127.0.0.1:${app.address(Bodies).port}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: many,
    });
    expect(refused.status).to.equal(400);
    expect(await refused.text()).to.contain('more than 100000 objects, arrays and keys');
  });

  it('is refused as a structured value, whatever its parts are', () => {
    const values: readonly unknown[] = [
      JSON.parse(many),
      new Map(Array.from({ length: 100_001 }, (_, i) => [i, i])),
      new Set(Array.from({ length: 100_001 }, (_, i) => i)),
      Object.fromEntries(Array.from({ length: 100_001 }, (_, i) => [`k${i}`, i])),
      Array.from({ length: 50_001 }, (_, i) => ({ [`k${i % 10}`]: i })),
      Array.from({ length: 100_001 }, () => Buffer.alloc(1)),
      Array.from({ length: 100_001 }, () => new Date(1)),
    ];
    for (const value of values) {
      const { whole } = objects();
      const bytes = whole!.encode(value) as Uint8Array;
      const datagram = whole!.decoder(bytes.length);
      datagram.push(Buffer.from(bytes));
      expect(() => datagram.next())
        .to.throw(FramingError)
        .with.nested.property('cause.message')
        .that.contains('more than');
    }
  });
});
