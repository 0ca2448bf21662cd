import { expect } from 'chai';
import { MessageTooLargeError } from '../../src/errors.js';
import { Tag } from '../../src/wire/codec/tags.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { rejection, Rig } from './support/rig.js';

/** A million empty arrays and a few more. */
const DEAR = Buffer.concat([Buffer.of(Tag.ARRAY32, 0, 1, 16, 0), Buffer.alloc(0x10_0100, Tag.ARRAY)]);
const WORDS = /^output of fixture\.\w+ is larger than what one value may have \(1048576 objects and entries of collections\)$/;

describe('a value that would hold the event loop for too long', () => {
  let rig: Rig;
  beforeEach(async () => void (rig = await Rig.started()));
  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  it('fails its call alone; the process answers the next', async () => {
    const answer = rejection(rig.client().run(1));
    const worker = await rig.host.worker(1);
    worker.link.sendEncoded(Kind.REPLY, (await worker.call()).id, 0, DEAR);
    expect(await answer)
      .to.be.instanceOf(MessageTooLargeError)
      .and.include({ limit: 1_048_576 });
    expect((await answer).message).to.match(WORDS);
    const next = rig.client().run(2);
    worker.reply(await worker.call(2));
    expect(await next).to.equal(2);
    expect(worker.signals).to.deep.equal([]);
  });

  for (const isAwaited of [true, false])
    it(`ends its stream alone, ${isAwaited ? 'where its caller waits for it' : 'when its caller takes it'}`, async () => {
      const stream = rig.client().count(3);
      const worker = await rig.host.worker(1);
      const call = await worker.call();
      const awaited = isAwaited ? rejection(stream.next()) : undefined;
      worker.link.sendEncoded(Kind.ITEM, call.id, 0, DEAR);
      if (!isAwaited) await rig.settle();
      expect((await (awaited ?? rejection(stream.next()))).message).to.match(WORDS);
      await worker.next(Kind.CANCEL);
      expect(worker.signals).to.deep.equal([]);
      worker.link.send(Kind.END, call.id, 0);
    });
});
