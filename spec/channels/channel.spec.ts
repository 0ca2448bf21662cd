import { expect } from 'chai';
import { channel } from '../../src/decorators/injection/channel-token.js';
import { Connection } from '../../src/decorators/connection/connection.js';
import { OnChannel, OnData } from '../../src/decorators/connection/connection-hooks.js';
import { lines } from '../../src/framing/lines.js';
import { Channels } from '../../src/reactor/index.js';
import { Events } from '../kit/events.js';
import { rig } from '../kit/reactor.js';
import { deferred, turns } from '../kit/signals.js';
import { WireClient } from '../kit/clients/wire-client.js';

describe('a channel', () => {
  const News = channel<number>('news', { buffer: 3 });
  const Strict = channel<number>('strict', { buffer: 2, overflow: 'unsubscribe' });

  it('hands each item to every subscriber, until it is disposed', () => {
    const channels = new Channels();
    const [writer, one, two] = [channels.face(News), channels.face(News), channels.face(News)];
    const seen: string[] = [];
    one.subscribe(item => seen.push(`one ${String(item)}`));
    const second = two.subscribe(item => seen.push(`two ${String(item)}`));
    writer.publish(1);
    second[Symbol.dispose]();
    writer.publish(2);
    expect(seen).to.deep.equal(['one 1', 'two 1', 'one 2']);
  });

  it('other channels hear nothing of it, nor do other processes’ hubs', () => {
    const channels = new Channels();
    const seen: unknown[] = [];
    channels.face(Strict).subscribe(item => seen.push(item));
    new Channels().face(News).subscribe(item => seen.push(item));
    channels.face(News).publish(1);
    expect(seen).to.deep.equal([]);
  });

  it('a slow subscriber holds up nobody; beyond its buffer the oldest are dropped', async () => {
    const channels = new Channels();
    const face = channels.face(News);
    const gate = deferred();
    const slow: unknown[] = [];
    const quick: unknown[] = [];
    face.subscribe(async item => {
      slow.push(item);
      await gate.promise;
    });
    face.subscribe(item => quick.push(item));
    for (let i = 1; i <= 6; i++) face.publish(i);
    expect(quick).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(slow).to.deep.equal([1]);
    gate.resolve();
    await turns();
    expect(slow).to.deep.equal([1, 4, 5, 6]);
  });

  it('with unsubscribe, one that is too slow is let go', async () => {
    const channels = new Channels();
    const face = channels.face(Strict);
    const gate = deferred();
    const slow: unknown[] = [];
    face.subscribe(async item => {
      slow.push(item);
      await gate.promise;
    });
    for (let i = 1; i <= 5; i++) face.publish(i);
    gate.resolve();
    await turns();
    expect(slow).to.deep.equal([1]);
  });

  it('subscriptions end with their owner, and later ones are refused', async () => {
    const channels = new Channels();
    const [writer, owned] = [channels.face(News), channels.face(News)];
    const seen: unknown[] = [];
    owned.subscribe(item => seen.push(item));
    owned[Symbol.dispose]();
    writer.publish(1);
    expect(seen).to.deep.equal([]);
    expect(() => owned.subscribe(() => {})).to.throw(/has ended/);
  });

  it('is an async iterable of what is published from then on; it ends with its owner', async () => {
    const channels = new Channels();
    const [writer, reader] = [channels.face(News), channels.face(News)];
    writer.publish(0);
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const item of reader) {
        seen.push(item);
        if (item === 2) await turns();
      }
    })();
    writer.publish(1);
    writer.publish(2);
    await turns(1);
    for (let i = 3; i <= 8; i++) writer.publish(i);
    await turns(10);
    expect(seen).to.deep.equal([1, 2, 6, 7, 8]);
    reader[Symbol.dispose]();
    await loop;
  });

  it('leaving the loop ends its subscription, also while it waits', async () => {
    const channels = new Channels();
    const face = channels.face(News);
    const iterator = face[Symbol.asyncIterator]();
    const waiting = iterator.next();
    await iterator.return!();
    expect(await waiting).to.deep.equal({ done: true, value: undefined });
    face.publish(1);
    expect(await iterator.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('a subscriber that throws or rejects is logged and stays', async () => {
    using logged = new Events('hook.error');
    const face = new Channels().face(News);
    let calls = 0;
    face.subscribe(() => {
      if (++calls === 1) throw new Error('thrown');
      return Promise.reject(new Error('rejected'));
    });
    face.publish(1);
    face.publish(2);
    await turns();
    face.publish(3);
    expect(calls).to.equal(3);
    await turns();
    expect(logged.seen.map(({ error }) => (error as Error).message)).to.deep.equal(['thrown', 'rejected', 'rejected']);
  });

  it('@OnChannel gets what is published, what it returns is sent, and it does not wait for the line', async () => {
    const kit = rig();
    const gate = deferred();
    @Connection({ framing: lines() })
    class Reader {
      @OnChannel(News) news(item: number) {
        return `news ${item}`;
      }
      @OnData() async data() {
        await gate.promise;
        return 'data';
      }
    }
    const { address } = await kit.listen(Reader);
    const clients = [await WireClient.connect(address.url), await WireClient.connect(address.url)];
    for (const client of clients) client.send('x\n');
    await turns();
    const writer = kit.core.channels.face(News);
    writer.publish(1);
    writer.publish(2);
    for (const client of clients) await client.reads('news 1\nnews 2\n');
    gate.resolve();
    for (const client of clients) await client.reads('data\n');
    clients[0]!.destroy();
    await turns();
    writer.publish(3);
    await clients[1]!.reads('news 3\n');
    await kit.close();
  });
});
