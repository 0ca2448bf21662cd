import { expect } from 'chai';
import { CreditGate, creditFor, Lane } from '../../src/tasks/credit.js';

const message = (byte: number): Uint8Array => Uint8Array.of(byte);

describe('a credit gate', () => {
  const sent: number[] = [];
  const gate = (credit: number): CreditGate => new CreditGate(credit, encoded => sent.push(encoded[0]!));
  beforeEach(() => void (sent.length = 0));

  it('sends while there is credit and keeps the rest in order', () => {
    const two = gate(2);
    for (const byte of [1, 2, 3, 4]) void two.push(message(byte));
    expect(sent).to.deep.equal([1, 2]);
    two.give(1);
    expect(sent).to.deep.equal([1, 2, 3]);
    two.give(5);
    expect(sent).to.deep.equal([1, 2, 3, 4]);
  });

  it('lets whoever waits go on when there is room for one more, not before', async () => {
    const one = gate(1);
    let room = false;
    const waiting = one.push(message(1)).then(() => (room = true));
    void one.push(message(2));
    one.give(1);
    await new Promise(setImmediate);
    expect(room).to.equal(false);
    one.give(1);
    await waiting;
  });

  it('drops what waits when nobody will take it, and nobody waits any more', async () => {
    const none = gate(0);
    const waiting = none.push(message(1));
    none.close();
    await waiting;
    await none.push(message(2));
    none.give(9);
    expect(sent).to.deep.equal([]);
  });

  it('is told of by its lane and count', () => {
    expect(creditFor(Lane.messages, 64)).to.equal(0x0300_0040);
  });
});
