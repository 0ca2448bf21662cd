import { expect } from 'chai';
import { ProtocolError } from '../../../src/errors.js';
import { encodeValue } from '../../../src/wire/codec/codec.js';
import {
  CreditKind,
  INITIAL_ROOM,
  ReceiveWindow,
  readCredit,
  SendCredit,
  sendCredit,
  WIDEST,
  type Room,
} from '../../../src/wire/link/credit.js';
import type { Body } from '../../../src/wire/link/types.js';

const KB = 1024;
const yes = (): boolean => true;

function body(value?: unknown): Body {
  const bytes = value === undefined ? new Uint8Array() : encodeValue(value);
  return { length: bytes.length, value: () => value, take: () => bytes };
}

describe('credit', () => {
  it('is told of by its kind, its count and its bytes', () => {
    const sent: unknown[] = [];
    sendCredit({ sendValue: (...message) => sent.push(message) }, 7, CreditKind.messages, { count: 64, bytes: 9000 });
    expect(sent).to.deep.equal([[9, 7, 0x0300_0040, 9000]]);
    expect(readCredit(0x0300_0040, body(9000))).to.deep.equal({ kind: 3, count: 64, bytes: 9000 });
    expect(readCredit(5, body())).to.deep.equal({ kind: 0, count: 5, bytes: 0 });
  });

  it('is an offence where it names nothing that can be counted', () => {
    for (const wrong of [-1, 0.5, NaN, Infinity, 2 ** 53, '9', [1], null, 'a long text that is no number at all'])
      expect(() => readCredit(1, body(wrong)), String(wrong)).to.throw(ProtocolError);
    expect(() => readCredit(0, body(9))).to.throw(ProtocolError);
  });

  it('lets a sender go on to its last byte, and one value beyond', () => {
    const credit = new SendCredit({ count: 3, bytes: 10 });
    credit.spend(9);
    expect(credit.open).to.equal(true);
    credit.spend(1000);
    expect(credit.open).to.equal(false);
    credit.give({ count: 1, bytes: 999 });
    expect(credit.open, 'not a byte').to.equal(false);
    credit.give({ count: 0, bytes: 1 });
    expect(credit.open).to.equal(true);
  });

  it('beyond what a receiver may have room for is an offence', () => {
    const most = { count: 4, bytes: 100 };
    expect(() => new SendCredit({ count: 4, bytes: 1 }).give({ count: 1, bytes: 0 }, most)).to.throw(ProtocolError);
    expect(() => new SendCredit({ count: 1, bytes: 90 }).give({ count: 1, bytes: 11 }, most)).to.throw(ProtocolError);
    new SendCredit({ count: 3, bytes: 90 }).give({ count: 1, bytes: 10 }, most);
  });
});

describe('a window', () => {
  it('is exhausted by messages, or by their bytes, and takes nothing then', () => {
    const few = new ReceiveWindow({ count: 2, bytes: 1000 });
    expect([few.received(1), few.received(1), few.received(1)]).to.deep.equal([true, true, false]);
    const small = new ReceiveWindow({ count: 99, bytes: 10 });
    expect([small.received(9), small.received(5000), small.received(1)]).to.deep.equal([true, true, false]);
    expect(small.exhausted).to.equal(true);
  });

  it('gives back what was dealt with, in batches of half of it', () => {
    const window = new ReceiveWindow({ count: 4, bytes: 100 });
    window.received(1);
    window.received(1);
    expect(window.consumed(1)).to.equal(undefined);
    expect(window.consumed(1)).to.deep.equal({ count: 2, bytes: 2 });
    window.received(70);
    expect(window.consumed(70)).to.deep.equal({ count: 1, bytes: 70 });
  });

  it('always has room again when everything was dealt with, whatever sizes came', () => {
    const window = new ReceiveWindow({ count: 5, bytes: 1000 });
    const credit = new SendCredit({ count: 5, bytes: 1000 });
    for (let round = 0; round < 500; round++) {
      const sizes: number[] = [];
      while (credit.open && sizes.length < 1 + (round % 4)) {
        const bytes = 1 + ((round * 7919 + sizes.length * 104_729) % 3000);
        credit.spend(bytes);
        expect(window.received(bytes)).to.equal(true);
        sizes.push(bytes);
      }
      expect(sizes, 'the sender may send').to.not.have.length(0);
      for (const bytes of sizes) {
        const room = window.consumed(bytes);
        if (room) credit.give(room);
      }
    }
  });

  function pass(window: ReceiveWindow, bytes: number, count: number, mayGrow = yes): Room {
    let [granted, more] = [0, 0];
    for (let i = 0; i < count; i++) {
      window.starved();
      expect(window.received(bytes)).to.equal(true);
      const room = window.consumed(bytes, mayGrow);
      granted += room?.count ?? 0;
      more += room?.bytes ?? 0;
    }
    return { count: granted - count, bytes: more - count * bytes };
  }

  it('grows in what it lacks for a reader that waits, up to the widest', () => {
    const grown = { count: WIDEST.count - INITIAL_ROOM.items.count, bytes: WIDEST.bytes - INITIAL_ROOM.items.bytes };
    expect(pass(new ReceiveWindow(INITIAL_ROOM.items), 10, 2560).count).to.be.within(200, grown.count);
    expect(pass(new ReceiveWindow(INITIAL_ROOM.items), 10, 2560).bytes, 'of small ones').to.be.at.most(0);
    expect(pass(new ReceiveWindow(INITIAL_ROOM.items), 64 * KB, 2560).bytes).to.be.within(grown.bytes / 2, grown.bytes);
  });

  it('stays as it is for a reader that is slower than its sender, and where it may not grow', () => {
    const slow = new ReceiveWindow(INITIAL_ROOM.items);
    for (let i = 0; i < 500; i++) {
      slow.received(1000);
      expect(slow.consumed(1000, yes)?.count ?? 0).to.be.at.most(8);
    }
    expect(pass(new ReceiveWindow(INITIAL_ROOM.items), 64 * KB, 2560, () => false).bytes).to.be.at.most(0);
  });
});
