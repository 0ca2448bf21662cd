import { expect } from 'chai';
import { UsageError } from '../../../src/errors.js';
import { attachmentsOf, type Attachments } from '../../../src/wire/codec/attachments.js';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';
import { ReceivedBody } from '../../../src/wire/link/body.js';

/** Bytes of a value as a link hands them over: some before it, some behind it. */
function shown(value: unknown, lists?: (list: number) => Attachments | undefined, owned = false): ReceivedBody {
  const bytes = Buffer.from(encodeValue(value, 0, 'input', lists !== undefined));
  if (lists) bytes.writeUInt32LE(7, 1);
  const body = new ReceivedBody(lists);
  body.show(Buffer.concat([Buffer.from('front'), bytes, Buffer.from('behind')]), 5, 5 + bytes.length, owned);
  return body;
}

describe('the body of a message', () => {
  it('is read as a value or as bytes, and has a length', () => {
    const body = shown({ a: [1] });
    expect(body.length).to.equal(encodeValue({ a: [1] }).length);
    expect(body.value()).to.deep.equal({ a: [1] });
    expect(decodeValue(body.take())).to.deep.equal({ a: [1] });
  });

  it('is undefined where the message has no value', () => {
    const body = new ReceivedBody();
    body.show(Buffer.from('front'), 5, 5, false);
    expect([body.length, body.value()]).to.deep.equal([0, undefined]);
  });

  it('cannot be read after its message was handed over', () => {
    const body = shown('late');
    body.hide();
    expect(() => body.value()).to.throw(UsageError, 'after its message was handed over');
    expect(() => body.take()).to.throw(UsageError, 'after its message was handed over');
  });

  it('gives memory that others will reuse as a copy, and its own memory once', () => {
    const taken = (body: ReceivedBody): ArrayBufferLike => body.take().buffer;
    const lent = shown(Buffer.alloc(100_000));
    expect(taken(lent)).to.not.equal(taken(lent));
    const owned = shown(Buffer.alloc(100_000), undefined, true);
    const first = taken(owned);
    expect(taken(owned)).to.not.equal(first);
    const read = shown(Buffer.alloc(100_000), undefined, true);
    const [one, two] = [read.value() as Buffer, read.value() as Buffer];
    expect(one.buffer).to.not.equal(two.buffer);
  });

  it('asks for the list that its number names once, and passes it on with the bytes', () => {
    const memory = new SharedArrayBuffer(4);
    const asked: number[] = [];
    const body = shown([memory], list => {
      asked.push(list);
      return [memory];
    });
    const taken = body.take();
    expect(attachmentsOf(taken)).to.deep.equal([memory]);
    expect((body.value() as [SharedArrayBuffer])[0]).to.equal(memory);
    expect(asked).to.deep.equal([7]);
  });

  it('takes the list of a message that nothing reads, so that it is not kept for ever', () => {
    const asked: number[] = [];
    const body = shown([new SharedArrayBuffer(4)], list => {
      asked.push(list);
      return [];
    });
    body.hide();
    body.hide();
    expect(asked).to.deep.equal([7]);
  });
});
