import { expect } from 'chai';
import { z } from 'zod';
import { Transferable } from '../../../src/index.js';
import { toValidator } from '../../../src/schema.js';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';

const copy = <T>(value: T): T => decodeValue(encodeValue(value)) as T;

@Transferable('spec/quota', {
  fields: (error: QuotaError) => ({ left: error.left, open: error.mood === 'unsendable' ? () => {} : 1 }),
  rebuild: ({ left }) => new QuotaError(left),
})
class QuotaError extends Error {
  readonly #left: number;
  mood = 'calm';

  constructor(left: number) {
    super(`quota exceeded, ${left} left`);
    if (!Number.isSafeInteger(left)) throw new RangeError('left must be a whole number');
    this.#left = left;
    if (left === 99) Object.freeze(this);
  }

  override get name(): string {
    return `QuotaError(${this.#left})`;
  }

  get left(): number {
    return this.#left;
  }
}

describe('an error class with #private fields', () => {
  it('is rebuilt as it says, with message, stack, cause and own properties of the original', () => {
    const cause = new TypeError('deeper');
    const error = Object.assign(new QuotaError(3), { mood: 'angry', cause });
    error.message = 'changed';
    const received = copy(error);
    expect(received).to.be.instanceOf(QuotaError);
    expect([received.left, received.name, received.mood, received.message]).to.deep.equal([3, 'QuotaError(3)', 'angry', 'changed']);
    expect(received.stack).to.equal(error.stack);
    expect(received.cause).to.be.instanceOf(TypeError);
    expect(Object.keys(received)).to.deep.equal(['mood']);
  });

  it('keeps its identity where it comes several times, and in a circle of causes', () => {
    const error = new QuotaError(1);
    error.cause = new Error('inner', { cause: error });
    const [one, two] = copy([error, error] as const);
    expect(one).to.equal(two).and.to.be.instanceOf(QuotaError);
    expect((one.cause as Error).cause).to.equal(one);
  });

  it('is sent without those of its fields that cannot be copied', () => {
    const error = new QuotaError(5);
    error.mood = 'unsendable';
    expect(copy(error).left).to.equal(5);
  });

  it('arrives as Error with its name where it cannot be rebuilt of what was sent', () => {
    const error = new QuotaError(2);
    Object.defineProperty(error, 'left', { value: Number.NaN });
    const received = copy<Error>(error);
    expect(Object.getPrototypeOf(received)).to.equal(Error.prototype);
    expect([received.name, received.message]).to.deep.equal(['QuotaError(2)', 'quota exceeded, 2 left']);
  });

  it('arrives although its constructor freezes it', () => {
    const received = copy(new QuotaError(99));
    expect(received.left).to.equal(99);
    expect(received).to.be.frozen;
  });

  it('is refused where it says only half of how it is rebuilt', () => {
    expect(() => Transferable('spec/half', { rebuild: () => new Error('x') } as never)).to.throw('it needs both, fields: error => ({ … })');
    expect(() => Transferable('spec/half', { field: () => 1 } as never)).to.throw("has no option 'field': write 'fields'");
  });
});

describe('an instance of a class that was sent', () => {
  class Money {
    constructor(readonly cents: number) {}
  }
  const issueOf = (schema: z.ZodType, value: unknown): string => {
    const { issues } = toValidator(schema)(copy(value));
    return issues?.[0]?.message ?? 'accepted';
  };

  it('is plain data when it arrives, and a schema of z.instanceof() says so', () => {
    expect(copy(new Money(5))).to.deep.equal({ cents: 5 });
    const why = 'expected Money, received object (an instance of a class arrives as plain data, without its class';
    expect(issueOf(z.instanceof(Money), new Money(5))).to.contain(why);
    expect(issueOf(z.object({ rows: z.array(z.object({ price: z.instanceof(Money) })) }), { rows: [{ price: new Money(5) }] })).to.contain(
      why,
    );
    const many = Array.from({ length: 300 }, () => new Money(1));
    expect(issueOf(z.array(z.instanceof(Money)), many)).to.contain(why);
  });

  it('is not what other issues are explained by', () => {
    expect(issueOf(z.instanceof(Money), 5)).to.equal('Invalid input: expected Money, received number');
    expect(issueOf(z.instanceof(Date), {})).to.equal('Invalid input: expected Date, received object');
    expect(issueOf(z.string(), new Money(5))).to.equal('Invalid input: expected string, received object');
    class LostError extends Error {}
    expect(issueOf(z.instanceof(LostError), new LostError('x'))).to.contain('not registered with @Transferable() arrives as Error');
  });
});
