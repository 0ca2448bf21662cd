import { expect } from 'chai';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';
import { duplexPair } from '../../../src/wire/link/duplex-pair.js';
import { openLink } from '../../../src/wire/link/link.js';
import { Outbox } from '../../../src/wire/link/outbox.js';
import { Kind } from '../../../src/wire/link/protocol.js';
import type { Encoded } from '../../../src/wire/link/types.js';
import { Ear } from '../ear.js';
import { MB, alone, pair, turn } from '../links.js';

describe('a large value on a link', () => {
  it('is passed by pings and by other calls’ messages, 16 MB or not; those of its own id wait', async () => {
    const { ours, them, us } = pair();
    const large = Buffer.alloc(16 * MB, 'large');
    ours.sendValue(Kind.REPLY, 1, 0, { large });
    large.fill(0);
    ours.sendValue(Kind.ITEM, 1, 0, 'after');
    ours.sendValue(Kind.REPLY, 2, 0, 'other');
    for (let i = 0; i < 20; i++) {
      ours.send(Kind.PING, 1, i);
      if (i === 0) expect((await them.next())[3]).to.equal('other');
      expect(await them.next()).to.deep.equal([Kind.PING, 1, i, undefined]);
    }
    const received = (await them.next())[3] as { large: Buffer };
    expect(received.large.equals(Buffer.alloc(16 * MB, 'large'))).to.equal(true);
    expect((await them.next())[3]).to.equal('after');
    ours.destroy();
    await Promise.all([us.ended, them.ended]);
  });

  it('keeps the order of calls, and goes one after the other', async () => {
    const { ours, them, us } = pair();
    const sizes = [200_000, 10, 70_000, 65_536 - 5, 65_536, 0, 300_000];
    for (const [index, size] of sizes.entries()) ours.sendValue(Kind.CALL, index, 0, Buffer.alloc(size, index));
    for (const [index, size] of sizes.entries()) {
      const [, id, , value] = await them.next();
      expect(id).to.equal(index);
      expect((value as Buffer).equals(Buffer.alloc(size, index))).to.equal(true);
    }
    ours.destroy();
    await Promise.all([us.ended, them.ended]);
  });

  it('arrives as it was sent, though its memory serves the next one as soon as it has left', async () => {
    const { ours, them, us } = pair();
    const expected = (id: number): Buffer => Buffer.alloc(2 * MB - id * 50_000, id);
    // Some while another is on its way, some when it has arrived.
    for (let id = 1; id <= 12; id++) {
      ours.sendValue(Kind.REPLY, id, 0, [expected(id)]);
      if (id % 3 !== 0) continue;
      for (let behind = id - 2; behind <= id; behind++) {
        const [, arrived, , value] = await them.next();
        expect(arrived).to.equal(behind);
        expect((value as [Buffer])[0].equals(expected(behind))).to.equal(true);
      }
    }
    ours.destroy();
    await Promise.all([us.ended, them.ended]);
  });

  it('lets no context go past the call in front of its own', async () => {
    const { ours, them, us } = pair();
    ours.sendValue(Kind.CALL, 1, 0, Buffer.alloc(200_000));
    ours.sendValue(Kind.META, 2, 0, { attempt: 2 });
    ours.sendValue(Kind.CALL, 2, 0, 'small');
    ours.sendValue(Kind.MAIL, 3, 0, 'mail');
    ours.sendValue(Kind.ITEM, 9, 1, 'goes past');
    const order: number[] = [];
    for (let i = 0; i < 5; i++) order.push((await them.next())[0]);
    expect(order).to.deep.equal([Kind.ITEM, Kind.CALL, Kind.META, Kind.CALL, Kind.MAIL]);
    ours.destroy();
    await Promise.all([us.ended, them.ended]);
  });

  it('lets thousands of messages wait behind it', async () => {
    const { ours, them, us } = pair();
    ours.sendValue(Kind.ITEM, 1, 0, Buffer.alloc(200_000));
    for (let i = 0; i < 20_000; i++) ours.send(Kind.CREDIT, 1, i);
    ours.send(Kind.END, 1, 0);
    while (them.heard.at(-1)?.[0] !== Kind.END) await turn();
    expect(them.heard.length).to.equal(20_002);
    expect(them.heard.slice(1, -1).every(([, , arg], index) => arg === index)).to.equal(true);
    ours.destroy();
    await Promise.all([us.ended, them.ended]);
  });

  it('leaves before the end, with everything behind it', async () => {
    const { ours, them, us } = pair();
    ours.sendEncoded(Kind.REPLY, 1, 0, encodeValue('z'.repeat(MB)));
    ours.sendValue(Kind.ITEM, 1, 0, 'last');
    ours.end();
    ours.send(Kind.PING, 1, 0);
    expect(((await them.next())[3] as string).length).to.equal(MB);
    expect((await them.next())[3]).to.equal('last');
    await Promise.all([us.ended, them.ended]);
    expect(them.heard.length).to.equal(2);
  });

  it('gives large Buffers memory that nobody else uses', async () => {
    const [left, right] = duplexPair();
    const bodies: { value: Buffer; again: Buffer; taken: Encoded }[] = [];
    const ours = openLink(left, new Ear(), { maxMessageSize: 0 });
    const done = new Promise<void>(resolve => {
      openLink(
        right,
        {
          onMessage: (_kind, _id, _arg, body) => {
            bodies.push({ value: body.value() as Buffer, again: body.value() as Buffer, taken: body.take() });
            resolve();
          },
          onClosed: () => undefined,
        },
        { maxMessageSize: 0 },
      );
    });
    ours.sendValue(Kind.CALL, 1, 0, Buffer.alloc(200_000, 1));
    await done;
    const { value, again, taken } = bodies[0]!;
    value.fill(2);
    again.fill(3);
    expect((decodeValue(taken) as Buffer).equals(Buffer.alloc(200_000, 1))).to.equal(true);
    expect(value.equals(Buffer.alloc(200_000, 2))).to.equal(true);
    ours.destroy();
  });
  it('congests the link until it has left', async () => {
    const { stream, link, ear } = alone();
    stream.taking = false;
    link.sendValue(Kind.CALL, 1, 0, Buffer.alloc(MB));
    await turn();
    expect(link.isCongested).to.equal(true);
    // Only what pings may wait behind is with the stream.
    expect(stream.writableLength).to.be.lessThan(200_000);
    stream.takeAll();
    while (link.isCongested) await turn();
    expect(ear.signs).to.deep.equal(['drained']);
    expect(link.bufferedBytes).to.equal(0);
    link.destroy();
  });
});

describe('an outbox', () => {
  it('holds back what belongs behind a message that waits, and nothing else', () => {
    const outbox = new Outbox(true);
    outbox.add(Kind.REPLY, 1, 0, Buffer.alloc(10));
    expect(outbox.holds(Kind.ITEM, 1)).to.equal(true);
    expect(outbox.holds(Kind.ITEM, 2)).to.equal(false);
    expect(outbox.holds(Kind.CALL, 2), 'no call waits').to.equal(false);
    outbox.add(Kind.CALL, 3, 0, undefined);
    for (const kind of [Kind.CALL, Kind.MAIL, Kind.META]) expect(outbox.holds(kind, 4)).to.equal(true);
    for (const kind of [Kind.PING, Kind.PONG]) expect(outbox.holds(kind, 1)).to.equal(false);
    const unordered = new Outbox(false);
    unordered.add(Kind.CALL, 3, 0, undefined);
    expect([Kind.CALL, Kind.MAIL, Kind.META].map(kind => unordered.holds(kind, 4))).to.deep.equal([false, true, true]);
  });

  it('counts bytes as they leave, and lets a message go with the last of them', () => {
    const outbox = new Outbox(true);
    outbox.add(Kind.CALL, 1, 0, Buffer.alloc(10));
    outbox.add(Kind.CALL, 1, 0, Buffer.alloc(5));
    outbox.advance(9);
    expect([outbox.bytes, outbox.head?.sent, outbox.empty]).to.deep.equal([6, 9, false]);
    outbox.advance(1);
    expect([outbox.bytes, outbox.head?.sent, outbox.holds(Kind.ITEM, 1)]).to.deep.equal([5, 0, true]);
    outbox.advance(5);
    expect([outbox.bytes, outbox.head, outbox.empty]).to.deep.equal([0, undefined, true]);
    expect([outbox.holds(Kind.ITEM, 1), outbox.holds(Kind.CALL, 2)]).to.deep.equal([false, false]);
  });

  it('holds nothing back once it was cleared', () => {
    const outbox = new Outbox(true);
    outbox.add(Kind.CALL, 1, 0, Buffer.alloc(10));
    outbox.clear();
    expect([outbox.empty, outbox.bytes, outbox.head]).to.deep.equal([true, 0, undefined]);
    expect([outbox.holds(Kind.ITEM, 1), outbox.holds(Kind.CALL, 2)]).to.deep.equal([false, false]);
  });
});
