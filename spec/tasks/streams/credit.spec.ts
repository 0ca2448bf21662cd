import { expect } from 'chai';
import { LimitError } from '../../../src/errors.js';
import { rejection } from '../../workers/support/rig.js';
import type { Room } from '../../../src/wire/link/credit.js';
import { CreditGate, type CreditGateOptions } from '../../../src/tasks/streams/credit.js';

/** For so many messages, with bytes enough. */
const room = (count: number): Room => ({ count, bytes: 1000 });
const message = (byte: number): Uint8Array => Uint8Array.of(byte);

describe('a credit gate', () => {
  const sent: number[] = [];
  const gate = (credit: number, options: Partial<CreditGateOptions> = {}): CreditGate =>
    new CreditGate(room(credit), { send: encoded => void sent.push(encoded[0]!), ...options });
  beforeEach(() => void (sent.length = 0));

  it('sends while there is credit and keeps the rest in order', () => {
    const two = gate(2);
    for (const byte of [1, 2, 3, 4]) void two.push(message(byte));
    expect(sent).to.deep.equal([1, 2]);
    two.give(room(1));
    expect(sent).to.deep.equal([1, 2, 3]);
    two.give(room(5));
    expect(sent).to.deep.equal([1, 2, 3, 4]);
  });

  it('lets whoever waits go on when there is room for one more, not before', async () => {
    const one = gate(1);
    let went = false;
    const waiting = one.push(message(1)).then(() => (went = true));
    void one.push(message(2));
    one.give(room(1));
    await new Promise(setImmediate);
    expect(went).to.equal(false);
    one.give(room(1));
    await waiting;
  });

  it('rejects the promises of messages that will never be sent, and those of later ones', async () => {
    const none = gate(0);
    const waiting = none.push(message(1));
    none.close(() => new Error('over'));
    expect((await rejection(waiting)).message).to.equal('over');
    expect((await rejection(none.push(message(2)))).message).to.equal('over');
    none.give(room(9));
    expect(sent).to.deep.equal([]);
  });

  it('resolves the promise of a message that was sent when it is closed', async () => {
    const one = gate(1);
    const waiting = one.push(message(1));
    one.close(() => new Error('over'));
    await waiting;
  });

  it('says once when everything that it took has been sent, or never will be', () => {
    const told: string[] = [];
    const one = gate(1);
    one.whenSent(() => told.push('nothing waits'));
    void one.push(message(1));
    void one.push(message(2));
    void one.push(message(3));
    one.whenSent(() => told.push('sent'));
    one.give(room(1));
    expect(told).to.deep.equal(['nothing waits']);
    one.give(room(1));
    one.give(room(1));
    expect(told).to.deep.equal(['nothing waits', 'sent']);
    const none = gate(0);
    void none.push(message(4));
    none.whenSent(() => told.push('closed'));
    none.close(() => new Error('over'));
    expect(told.at(-1)).to.equal('closed');
  });

  it('looks for credit where the sender goes on without awaiting it', () => {
    let looked = 0;
    const one = gate(1, { lookForCredit: () => ++looked === 2 && one.give(room(5)) });
    void one.push(message(1));
    expect(looked).to.equal(0);
    void one.push(message(2));
    expect(sent).to.deep.equal([1]);
    void one.push(message(3));
    expect(looked).to.equal(2);
    expect(sent).to.deep.equal([1, 2, 3]);
  });

  it('takes nothing more where it is closed while it looks', async () => {
    const one: CreditGate = gate(1, { lookForCredit: () => one.close(() => new Error('over')) });
    void one.push(message(1));
    expect((await rejection(one.push(message(2)))).message).to.equal('over');
    expect(one.waiting).to.equal(0);
  });

  it('takes no more than its bytes, and names the limit', () => {
    const few = gate(0, { maxWaiting: 200, what: 'events of render.draw' });
    void few.push(message(1));
    void few.push(message(2));
    expect(() => few.push(message(3)))
      .to.throw(LimitError, /2 events of render\.draw wait .* maxMessageSize/)
      .with.property('limit', 'maxMessageSize');
    few.give(room(1));
    void few.push(message(3));
    few.give(room(2));
    expect(sent).to.deep.equal([1, 2, 3]);
  });

  it('sends while there is a byte of room, and the last message may be larger than that', async () => {
    const few = new CreditGate({ count: 64, bytes: 10 }, { send: encoded => void sent.push(encoded.length) });
    void few.push(new Uint8Array(9));
    const waiting = few.push(new Uint8Array(500));
    void few.push(new Uint8Array(2));
    expect(sent).to.deep.equal([9, 500]);
    few.give({ count: 2, bytes: 499 });
    expect(sent).to.deep.equal([9, 500]);
    few.give({ count: 1, bytes: 11 });
    expect(sent).to.deep.equal([9, 500, 2]);
    await waiting;
  });
});
