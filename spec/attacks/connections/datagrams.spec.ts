import { expect } from 'chai';
import { z } from 'zod';
import {
  Connection,
  inject,
  OnData,
  OnError,
  Peer,
  Task,
  InjectWorker,
  Worker,
  type About,
  type Remote,
  type WorkerClient,
} from 'packet-ts';
import { json } from 'packet-ts/framing';
import { Events } from '../../kit/events.js';
import { turns } from '../../kit/signals.js';
import { UdpClient } from '../../kit/clients/udp-client.js';
import { House } from '../support/house.js';

const Order = z.object({ id: z.number(), name: z.string(), tags: z.array(z.string()) });

let explained = 0;

@Connection({ listen: 'udp://127.0.0.1:0', framing: json<z.infer<typeof Order>, unknown>(), concurrency: 1 })
class Explains {
  constructor(@inject(Peer) readonly peer: Peer<unknown, unknown>) {}
  @OnData(Order) order(order: z.infer<typeof Order>): unknown {
    if (order.id === 0) throw new Error('there is no order 0, and never was one: look up yours in the list');
    return order;
  }
  @OnError() explain(error: Error, { during }: About): unknown {
    explained++;
    return { error: error.message, during };
  }
}

/** Explains in a stream of parts. */
@Connection({ listen: 'udp://127.0.0.1:0', framing: json<z.infer<typeof Order>, unknown>(), concurrency: 1 })
class Streams {
  @OnData(Order) order(order: z.infer<typeof Order>): unknown {
    return order;
  }
  @OnError() async *explain(): AsyncGenerator<string> {
    explained++;
    for (let i = 0; i < 1000; i++) yield await Promise.resolve('x');
  }
}

@Worker('checked_elsewhere', { runtime: 'inline' })
class Elsewhere {
  @Task({ input: Order, output: z.number() }) id(order: z.infer<typeof Order>): number {
    return order.id;
  }
}

/** Validates in a worker, not at the door. */
@Connection({ listen: 'udp://127.0.0.1:0', framing: json<z.infer<typeof Order>, unknown>(), concurrency: 1 })
class Asks {
  constructor(@InjectWorker(Elsewhere) private readonly elsewhere: WorkerClient<Elsewhere>) {}
  @OnData() async order(order: z.infer<typeof Order>): Promise<unknown> {
    return { id: await this.elsewhere.id(order) };
  }
  @OnError() explain(error: Error): unknown {
    explained++;
    return { error: error.message };
  }
}

const INVALID = ['', '1', '[', '{}', '[]', `{"id":1,"name":"x","tags":[${'1,'.repeat(500)}1]}`, '1\n'.repeat(100), '[]\n'.repeat(50)];

describe('datagrams, whose senders are forged at will', () => {
  beforeEach(() => (explained = 0));

  for (const cls of [Explains, Streams, Asks]) {
    it(`answers to what could not be read or validated have fewer bytes than came (${cls.name})`, async () => {
      const house = await House.open([cls], { workers: cls === Asks ? [Elsewhere] : [] });
      const { port } = house.app.address(cls);
      for (const text of INVALID) {
        const client = await UdpClient.open();
        const before = explained;
        await client.send(text, port);
        await client.send('{"id":7,"name":"y","tags":[]}', port);
        // The valid one is answered behind all others: what came before it is what the invalid one was answered with.
        const answers: string[] = [];
        for (let answer = ''; !answer.includes('"id":7');) answers.push((answer = await client.text()));
        const bytes = answers.slice(0, -1).reduce((sum, answer) => sum + Buffer.byteLength(answer), 0);
        expect(bytes, text.slice(0, 20)).to.be.below(Math.max(1, text.length));
        expect(explained > before, 'a mistake that is told').to.equal(text !== '');
      }
    });
  }

  it('an answer that is small enough arrives, and one to a valid message has no limit', async () => {
    const { app } = await House.open([Explains]);
    const { port } = app.address(Explains);
    const client = await UdpClient.open();
    await client.send(`"${'x'.repeat(500)}"`, port);
    expect(JSON.parse(await client.text())).to.include({ during: 'schema' });
    await client.send('{"id":0,"name":"","tags":[]}', port);
    expect(JSON.parse(await client.text())).to.include({ during: 'message' });
  });

  it('two services that explain errors do not answer each other for ever', async () => {
    @Connection({ listen: 'udp://127.0.0.1:0', framing: json<z.infer<typeof Order>, unknown>(), concurrency: 1 })
    class Other extends Explains {}
    const { app } = await House.open([Explains, Other]);
    const target: Remote = { url: app.address(Other).url, address: '127.0.0.1', port: app.address(Other).port };
    const sender = [...app.reactor.connections(Explains)].find(({ handler }) => !(handler instanceof Other))!;
    sender.peer.sendTo({ junk: 'x'.repeat(1000) }, target);
    let before = -1;
    for (let quiet = 0; quiet < 20; quiet++) {
      if (explained !== before) quiet = 0;
      before = explained;
      expect(explained).to.be.below(50);
      await turns(5);
    }
    expect(explained).to.be.at.least(2);
  });

  it('the developer is told once why answers do not arrive', async () => {
    using warned = new Events('app.warning');
    @Connection({ listen: 'udp://127.0.0.1:0', framing: json<z.infer<typeof Order>, unknown>(), concurrency: 1 })
    class Puzzled extends Explains {}
    const { app } = await House.open([Puzzled]);
    const { port } = app.address(Puzzled);
    const client = await UdpClient.open();
    for (let i = 0; i < 5; i++) await client.send('{}', port);
    await client.send('{"id":7,"name":"y","tags":[]}', port);
    await client.text();
    const told = warned.seen.map(({ message }) => String(message)).filter(message => message.includes('Puzzled'));
    expect(told).to.have.length(1);
    expect(told[0]).to.match(/@OnError of Puzzled .* fewer bytes than the datagram/);
  });
});
