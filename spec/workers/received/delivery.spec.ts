import { expect } from 'chai';
import { ProtocolError } from '../../../src/errors.js';
import { encodeValue } from '../../../src/wire/codec/codec.js';
import type { Room } from '../../../src/wire/link/credit.js';
import type { Body } from '../../../src/wire/link/types.js';
import { DealingLimit, Delivery } from '../../../src/workers/received/delivery.js';

const bodyOf = (bytes: Uint8Array, value?: unknown): Body => ({ length: bytes.length, value: () => value, take: () => bytes });

/** Handlers that deal with a value until they are told that they have. */
class Scene {
  readonly handled: string[] = [];
  readonly granted: Room[] = [];
  readonly offences: Error[] = [];
  readonly #done: (() => void)[] = [];
  readonly delivery: Delivery;

  constructor(limit: DealingLimit, room: Room = { count: 4, bytes: 20_000 }) {
    this.delivery = new Delivery({
      room,
      limit,
      handle: value => {
        this.handled.push(String(value).slice(0, 1));
        return new Promise<void>(resolve => this.#done.push(resolve));
      },
      grant: more => this.granted.push(more),
      reportOffence: error => this.offences.push(error),
    });
  }

  come(letter: string, length = 5000): void {
    const value = letter.repeat(length);
    this.delivery.receive(bodyOf(encodeValue(value), value), 'a value');
  }

  async done(): Promise<void> {
    this.#done.shift()!();
    await new Promise(setImmediate);
  }
}

describe('values on their way to handlers', () => {
  it('wait as bytes while others of their process are dealt with, and keep their order', async () => {
    const limit = new DealingLimit(8000);
    const [one, other] = [new Scene(limit), new Scene(limit)];
    one.come('a');
    one.come('b');
    one.come('c');
    other.come('x');
    expect([one.handled, other.handled]).to.deep.equal([['a'], []]);
    await one.done();
    expect([one.handled, other.handled], 'one at a time').to.deep.equal([['a', 'b'], []]);
    await one.done();
    expect([one.handled, other.handled], 'in turn').to.deep.equal([['a', 'b'], ['x']]);
    await other.done();
    expect([one.handled, other.handled]).to.deep.equal([['a', 'b', 'c'], ['x']]);
  });

  it('do not wait where they are small', () => {
    const scene = new Scene(new DealingLimit(8000));
    scene.come('a', 9000);
    scene.come('b', 10);
    scene.come('c', 10);
    expect(scene.handled).to.deep.equal(['a', 'b', 'c']);
  });

  it('are an offence without credit, which comes back when they were dealt with', async () => {
    const scene = new Scene(new DealingLimit(), { count: 2, bytes: 20_000 });
    scene.come('a', 10);
    scene.come('b', 10);
    expect(() => scene.come('c', 10)).to.throw(ProtocolError, 'a value without credit');
    await scene.done();
    expect(scene.granted.map(({ count }) => count)).to.deep.equal([1]);
    scene.come('c', 10);
    expect(scene.handled).to.deep.equal(['a', 'b', 'c']);
  });

  it('all go to their handlers when nothing comes behind them, and none when nobody wants them', () => {
    const scene = new Scene(new DealingLimit(8000));
    for (const letter of ['a', 'b', 'c']) scene.come(letter);
    scene.delivery.flush();
    expect(scene.handled).to.deep.equal(['a', 'b', 'c']);
    const unwanted = new Scene(new DealingLimit(8000));
    unwanted.come('a');
    unwanted.come('b');
    unwanted.delivery.close();
    unwanted.delivery.flush();
    unwanted.come('c');
    expect(unwanted.handled).to.deep.equal(['a']);
  });

  it('tell of what is no value when its turn comes', async () => {
    const scene = new Scene(new DealingLimit(8000));
    scene.come('a');
    scene.delivery.receive(bodyOf(new Uint8Array(5000).fill(255)), 'a value');
    expect(scene.offences).to.have.length(0);
    await scene.done();
    expect(scene.offences[0]).to.be.instanceOf(ProtocolError);
  });
});
