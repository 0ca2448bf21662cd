import { expect } from 'chai';
import { once } from 'node:events';
import { MessageTooLargeError, NotCloneableError, ProtocolError, UsageError } from '../../../src/errors.js';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';
import { duplexPair } from '../../../src/wire/link/duplex-pair.js';
import { HEADER_SIZE, LARGE, PIECE, PIECE_SIZE, writeHeader } from '../../../src/wire/link/frames.js';
import { openLink } from '../../../src/wire/link/link.js';
import { Kind } from '../../../src/wire/link/protocol.js';
import type { Body, Encoded } from '../../../src/wire/link/types.js';
import { Ear } from '../ear.js';
import { FakeStream } from '../fake-stream.js';
import { MB, alone, pair, turn, written } from '../links.js';

describe('a link', () => {
  it('carries messages in both directions, with and without values', async () => {
    const { ours, theirs, us, them } = pair();
    ours.sendValue(Kind.CALL, 1, 0xffff_ffff, { input: [1, 'two', new Map([[3, 4n]])] });
    ours.send(Kind.PING, 0xffff_ffff, 0);
    ours.sendEncoded(Kind.CALL, 2, 0, encodeValue('encoded before'));
    expect(await them.next()).to.deep.equal([Kind.CALL, 1, 0xffff_ffff, { input: [1, 'two', new Map([[3, 4n]])] }]);
    expect(await them.next()).to.deep.equal([Kind.PING, 0xffff_ffff, 0, undefined]);
    expect(await them.next()).to.deep.equal([Kind.CALL, 2, 0, 'encoded before']);
    theirs.sendValue(Kind.REPLY, 1, 0, undefined);
    expect(await us.next()).to.deep.equal([Kind.REPLY, 1, 0, undefined]);
    ours.end();
    expect(await them.ended).to.equal(undefined);
    expect(await us.ended).to.equal(undefined);
  });

  describe('writes', () => {
    it('nothing once it is destroyed, though it is flushed', async () => {
      const { stream, link, ear } = alone();
      link.send(Kind.PING, 1, 0);
      link.destroy();
      link.flush();
      expect(stream.calls).to.equal(0);
      await ear.ended;
      link.flush();
      expect([stream.calls, stream.writableEnded]).to.deep.equal([0, false]);
    });

    it('a large value as its length and kind, then pieces that say nothing but theirs', async () => {
      const value = Buffer.alloc(PIECE_SIZE, 7);
      const bytes = await written(link => link.sendValue(Kind.REPLY, 5, 6, value));
      const header = (length: number, kind: number, id: number, arg: number): Buffer => {
        const buf = Buffer.alloc(HEADER_SIZE);
        writeHeader(buf, 0, length, kind, id, arg);
        return buf;
      };
      const encoded = encodeValue(value);
      const large = Buffer.alloc(5);
      large[0] = Kind.REPLY;
      large.writeUInt32LE(encoded.length, 1);
      const rest = encoded.length - PIECE_SIZE;
      expect(rest).to.be.greaterThan(0);
      const pieces = [encoded.subarray(0, PIECE_SIZE), encoded.subarray(PIECE_SIZE)].flatMap(piece => [
        header(piece.length, PIECE, 0, 0),
        piece,
      ]);
      expect(bytes.equals(Buffer.concat([header(5, LARGE, 5, 6), large, ...pieces]))).to.equal(true);
    });

    it('once per turn, whatever the number of messages', async () => {
      const { stream, link } = alone();
      for (let i = 1; i <= 500; i++) link.sendValue(Kind.CALL, i, 0, { a: i, b: 'text' });
      expect(stream.calls).to.equal(0);
      await turn();
      expect(stream.calls).to.equal(1);
      for (let i = 1; i <= 10; i++) await Promise.resolve().then(() => link.send(Kind.PING, i, 0));
      await turn();
      expect(stream.calls).to.equal(2);
      link.destroy();
    });

    it('a lone message as soon as the microtasks of its turn are done', async () => {
      const { stream, link } = alone();
      link.send(Kind.PING, 1, 0);
      await Promise.resolve();
      await new Promise<void>(resolve => process.nextTick(resolve));
      expect(stream.calls).to.equal(1);
      link.destroy();
    });

    it('at once when it is flushed, and nothing when there is nothing', async () => {
      const { stream, link } = alone();
      link.flush();
      link.send(Kind.PING, 1, 0);
      link.flush();
      link.flush();
      expect(stream.calls).to.equal(1);
      await turn();
      expect(stream.calls).to.equal(1);
      link.destroy();
    });

    it('never into memory that the kernel has not taken', async () => {
      const { stream, link, ear } = alone();
      stream.taking = false;
      const expected: string[] = [];
      for (let round = 0; round < 40; round++) {
        for (let i = 0; i < 20; i++) {
          expected.push(`${round}/${i} ${'x'.repeat(300)}`);
          link.sendValue(Kind.CALL, round * 20 + i, 0, expected.at(-1));
        }
        link.flush();
        await turn();
        if (round === 20) stream.takeAll();
      }
      stream.takeAll();
      link.end();
      await once(stream, 'finish');
      const hearer = new Ear();
      const other = new FakeStream();
      openLink(other, hearer, { maxMessageSize: 0 });
      other.push(Buffer.concat(stream.taken));
      await turn();
      expect(hearer.heard.map(([, , , value]) => value)).to.deep.equal(expected);
      other.push(null);
      link.destroy();
      await Promise.all([hearer.ended, ear.ended]);
    });

    it('into the same memory again once the kernel has taken it', async () => {
      const { stream, link } = alone();
      for (let i = 0; i < 50; i++) {
        link.sendValue(Kind.CALL, i, 0, 'y'.repeat(1000));
        link.flush();
        await turn();
      }
      expect(new Set(stream.writes.map(({ buffer }) => buffer)).size).to.be.lessThan(3);
      link.destroy();
    });
  });

  describe('a value that cannot be sent', () => {
    it('throws there, and the rest of the turn arrives as if it had not been', async () => {
      const { ours, them, us } = pair(1000);
      ours.sendValue(Kind.CALL, 1, 0, 'before');
      expect(() => ours.sendValue(Kind.CALL, 2, 0, { deep: [{ f: (): void => undefined }] })).to.throw(
        NotCloneableError,
        'input.deep[0].f',
      );
      expect(() => ours.sendValue(Kind.CALL, 2, 0, Symbol(), 'output')).to.throw(NotCloneableError, 'output is a symbol');
      expect(() => ours.sendValue(Kind.CALL, 3, 0, 'x'.repeat(1001))).to.throw(MessageTooLargeError);
      expect(() => ours.sendValue(Kind.CALL, 3, 0, Buffer.alloc(5 * MB))).to.throw(MessageTooLargeError, 'maxMessageSize (1000 bytes)');
      ours.sendValue(Kind.CALL, 4, 0, 'after');
      expect((await them.next())[3]).to.equal('before');
      expect((await them.next())[3]).to.equal('after');
      ours.destroy();
      await Promise.all([us.ended, them.ended]);
    });

    it('leaves nothing to write', async () => {
      const { stream, link } = alone(200_000);
      expect(() => link.sendValue(Kind.CALL, 1, 0, ['x'.repeat(190_000), (): void => undefined])).to.throw(NotCloneableError);
      expect(link.bufferedBytes).to.equal(0);
      link.flush();
      await turn();
      expect(stream.calls).to.equal(0);
      link.destroy();
    });
  });

  it('sends what a getter inside a value sends, after that value', async () => {
    const { ours, them, us } = pair();
    const value = {
      get now(): string {
        ours.send(Kind.PING, 1, 0);
        ours.sendValue(Kind.CALL, 2, 0, { from: 'the getter' });
        ours.flush();
        return 'now';
      },
    };
    ours.sendValue(Kind.CALL, 3, 0, value);
    expect(await them.next()).to.deep.equal([Kind.CALL, 3, 0, { now: 'now' }]);
    expect((await them.next())[0]).to.equal(Kind.PING);
    expect((await them.next())[3]).to.deep.equal({ from: 'the getter' });
    ours.destroy();
    await Promise.all([us.ended, them.ended]);
  });

  describe('hands over', () => {
    it('all complete messages of a chunk in one go, and then says that the burst is over', async () => {
      const bytes = await written(link => {
        for (let i = 0; i < 3; i++) link.send(Kind.PING, i, 0);
      });
      const { stream, ear, link } = alone();
      stream.push(bytes.subarray(0, bytes.length - 1));
      await turn();
      stream.push(bytes.subarray(bytes.length - 1));
      await turn();
      expect(ear.signs).to.deep.equal(['message', 'message', 'burst', 'message', 'burst']);
      link.destroy();
      await ear.ended;
    });

    it('a body that is valid only then', async () => {
      let kept: Body | undefined;
      let taken: Encoded | undefined;
      const stream = new FakeStream();
      const link = openLink(
        stream,
        {
          onMessage: (_kind, _id, _arg, body) => {
            kept = body;
            taken = body.take();
          },
          onClosed: () => undefined,
        },
        { maxMessageSize: 0 },
      );
      const bytes = await written(other => other.sendValue(Kind.REPLY, 1, 0, { kept: true }));
      stream.push(bytes);
      await turn();
      bytes.fill(0);
      expect(() => kept!.value()).to.throw(UsageError);
      expect(() => kept!.take()).to.throw(UsageError);
      expect(decodeValue(taken!)).to.deep.equal({ kept: true });
      link.destroy();
    });

    it('nothing after it was destroyed, even from the same chunk', async () => {
      const bytes = await written(link => {
        for (let i = 0; i < 3; i++) link.send(Kind.PING, i, 0);
      });
      const stream = new FakeStream();
      const signs: string[] = [];
      const link = openLink(
        stream,
        {
          onMessage: () => {
            signs.push('message');
            link.destroy();
          },
          onBurst: () => signs.push('burst'),
          onClosed: () => signs.push('closed'),
        },
        { maxMessageSize: 0 },
      );
      stream.push(bytes);
      await once(stream, 'close');
      expect(signs).to.deep.equal(['message', 'closed']);
    });
  });

  describe('is congested', () => {
    it('while the kernel takes no more, and says when it has taken all', async () => {
      const { stream, link, ear } = alone();
      stream.taking = false;
      expect(link.isCongested).to.equal(false);
      for (let i = 0; i < 10; i++) link.sendValue(Kind.CALL, i, 0, 'x'.repeat(40_000));
      await turn();
      expect(link.isCongested).to.equal(true);
      expect(link.bufferedBytes).to.be.greaterThan(400_000);
      stream.takeAll();
      await turn();
      expect(link.isCongested).to.equal(false);
      expect(link.bufferedBytes).to.equal(0);
      expect(ear.signs).to.deep.equal(['drained']);
      link.destroy();
    });

    it('not by a little that waits', async () => {
      const { stream, link, ear } = alone();
      stream.taking = false;
      link.sendValue(Kind.CALL, 1, 0, 'x'.repeat(30_000));
      await turn();
      expect(link.isCongested).to.equal(false);
      stream.takeAll();
      await turn();
      expect(ear.signs).to.deep.equal([]);
      link.destroy();
    });
  });

  it('is listened to for some milliseconds of a turn, however much it has to say', async () => {
    const stream = new FakeStream();
    let heard = 0;
    const message = (): void => {
      heard++;
      for (const end = performance.now() + 15; performance.now() < end;);
    };
    const link = openLink(stream, { onMessage: message, onClosed: () => {} }, { maxMessageSize: MB });
    const bytes = await written(one => one.sendEncoded(Kind.REPLY, 1, 0, Buffer.alloc(64 * 1024 - 13)));
    expect(bytes).to.have.length(64 * 1024);
    for (let i = 0; i < 20; i++) stream.push(bytes);
    await turn();
    expect(heard).to.be.within(1, 10);
    while (heard < 20) await turn();
    link.destroy();
  });

  describe('is closed exactly once', () => {
    it('by garbage, with a ProtocolError, and destroys the stream', async () => {
      const { stream, ear } = alone();
      stream.push(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
      expect(await ear.ended).to.be.instanceOf(ProtocolError);
      expect(stream.destroyed).to.equal(true);
      expect(ear.signs).to.deep.equal(['closed']);
    });

    it('by a value that is garbage, with a ProtocolError', async () => {
      const bytes = await written(link => {
        link.sendEncoded(Kind.REPLY, 1, 0, Buffer.of(0xff, 0xff));
        link.send(Kind.PING, 1, 0);
      });
      const { stream, ear } = alone();
      stream.push(bytes);
      expect(await ear.ended).to.be.instanceOf(ProtocolError);
      expect(ear.heard).to.deep.equal([]);
    });

    it('by a receiver that throws, with a ProtocolError that has the reason', async () => {
      const bytes = await written(link => link.send(Kind.PING, 1, 0));
      for (const method of ['onMessage', 'onBurst'] as const) {
        const stream = new FakeStream();
        const reason = new TypeError('confused');
        const error = await new Promise<Error | undefined>(onClosed => {
          const receiver = { onMessage: (): void => undefined, onBurst: (): void => undefined, onClosed };
          receiver[method] = () => {
            throw reason;
          };
          openLink(stream, receiver, { maxMessageSize: 0 });
          stream.push(bytes);
        });
        expect(error).to.be.instanceOf(ProtocolError);
        expect(error?.cause).to.equal(reason);
      }
    });

    it('by the stream’s own error', async () => {
      const { stream, ear, link } = alone();
      stream.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
      expect(await ear.ended).to.have.property('code', 'ECONNRESET');
      link.send(Kind.PING, 1, 0);
      link.sendValue(Kind.CALL, 1, 0, 1);
      link.flush();
      link.end();
      link.destroy(new Error('too late'));
      await turn();
      expect(ear.signs).to.deep.equal(['closed']);
      expect(stream.calls).to.equal(0);
    });

    it('by the end of the other side, even in the middle of a frame, without an error', async () => {
      const bytes = await written(link => link.sendValue(Kind.REPLY, 1, 0, 'cut off'));
      const { stream, ear } = alone();
      stream.push(bytes.subarray(0, 15));
      stream.push(null);
      expect(await ear.ended).to.equal(undefined);
      expect(ear.signs.filter(sign => sign === 'closed').length).to.equal(1);
    });

    it('by destroy, with its error, and drops what was not written', async () => {
      const { ours, us, them, streams } = pair();
      ours.sendValue(Kind.CALL, 1, 0, Buffer.alloc(MB));
      const reason = new Error('enough');
      ours.destroy(reason);
      ours.destroy();
      expect(await us.ended).to.equal(reason);
      expect(ours.bufferedBytes).to.equal(0);
      expect(await them.ended).to.equal(undefined);
      expect(streams.every(stream => stream.destroyed)).to.equal(true);
    });

    it('when the other side is gone while much is on its way to it', async () => {
      const { ours, theirs, us } = pair();
      ours.sendValue(Kind.CALL, 1, 0, Buffer.alloc(8 * MB));
      await turn();
      theirs.destroy();
      const error = await us.ended;
      if (error !== undefined) expect(error).to.have.property('code', 'EPIPE');
      expect(us.signs.filter(sign => sign === 'closed').length).to.equal(1);
    });
  });

  it('may learn its limit later', async () => {
    const { ours, them, us } = pair();
    ours.limit(10);
    expect(() => ours.sendValue(Kind.STATUS, 0, 0, 'more than ten bytes')).to.throw(MessageTooLargeError, 'maxMessageSize (10 bytes)');
    ours.sendValue(Kind.STATUS, 0, 0, 'less');
    expect((await them.next())[3]).to.equal('less');
    ours.destroy();
    await Promise.all([us.ended, them.ended]);
  });

  it('takes no value above its limit from the other side', async () => {
    const streams = duplexPair();
    const ear = new Ear();
    const ours = openLink(streams[0], new Ear(), { maxMessageSize: 0 });
    openLink(streams[1], ear, { maxMessageSize: 100_000 });
    ours.sendValue(Kind.REPLY, 1, 0, Buffer.alloc(100_001));
    expect(await ear.ended)
      .to.be.instanceOf(ProtocolError)
      .with.property('message')
      .that.contains('maxMessageSize (100000 bytes)');
  });
});
