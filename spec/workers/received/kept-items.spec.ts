import { expect } from 'chai';
import { ProtocolError } from '../../../src/errors.js';
import { encodeValue } from '../../../src/wire/codec/codec.js';
import type { Body } from '../../../src/wire/link/types.js';
import { KeptItems } from '../../../src/workers/received/kept-items.js';
import { UnreadBytes } from '../../../src/workers/received/unread.js';

class Received implements Body {
  decoded = 0;
  readonly bytes: Uint8Array;
  readonly #value: unknown;

  constructor(value: unknown, bytes = encodeValue(value)) {
    this.#value = value;
    this.bytes = bytes;
  }
  get length(): number {
    return this.bytes.length;
  }
  value(): unknown {
    this.decoded++;
    return this.#value;
  }
  take(): Uint8Array {
    return this.bytes;
  }
}

const large = (length = 5000): Received => new Received('x'.repeat(length));

describe('items that wait', () => {
  const ledger = new UnreadBytes(100_000);
  const kept = (onOverflow = (): void => {}, within = ledger): KeptItems => new KeptItems(within, onOverflow);

  it('are decoded at once where they are small, and when they are taken where they are not', () => {
    const items = kept();
    const [small, big] = [new Received({ a: 1 }), large()];
    items.push(small);
    items.push(big);
    expect([small.decoded, big.decoded]).to.deep.equal([1, 0]);
    expect(ledger.bytes).to.equal(big.length);
    expect(items.shift()).to.include({ bytes: small.length }).with.property('value').that.deep.equals({ a: 1 });
    expect(items.shift()).to.deep.equal({ value: 'x'.repeat(5000), bytes: big.length });
    expect([items.size, items.unread, ledger.bytes]).to.deep.equal([0, 0, 0]);
  });

  it('say what is no value when it is taken, and what was before it', () => {
    const items = kept();
    items.push(large());
    items.push(new Received(undefined, new Uint8Array(5000).fill(255)));
    expect(items.shift()).to.have.property('value', 'x'.repeat(5000));
    expect(() => items.shift()).to.throw(ProtocolError);
    expect(ledger.bytes).to.equal(0);
  });

  it('are let go of where all have too many bytes: those of the stream that has most', () => {
    const over: string[] = [];
    const [few, many] = [kept(() => over.push('few')), kept(() => over.push('many'))];
    for (let i = 0; i < 4; i++) few.push(large(10_000));
    for (let i = 0; i < 6; i++) many.push(large(10_000));
    expect(over).to.deep.equal(['many']);
    expect([few.size, many.size]).to.deep.equal([4, 0]);
    few.clear();
    expect(ledger.bytes).to.equal(0);
  });

  it('are counted over all processes, too', () => {
    const over: string[] = [];
    const all = new UnreadBytes(100_000);
    const [one, other] = [new UnreadBytes(90_000, all), new UnreadBytes(90_000, all)];
    const [first, second] = [kept(() => over.push('first'), one), kept(() => over.push('second'), other)];
    for (let i = 0; i < 6; i++) first.push(large(10_000));
    for (let i = 0; i < 5; i++) second.push(large(10_000));
    expect(over).to.deep.equal(['first']);
    expect([one.bytes, other.bytes]).to.deep.equal([0, all.bytes]);
    second.clear();
    expect(all.bytes).to.equal(0);
  });
});
