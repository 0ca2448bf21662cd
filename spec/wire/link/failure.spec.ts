import { expect } from 'chai';
import { decodeValue } from '../../../src/wire/codec/codec.js';
import { sendFailure, sendStray } from '../../../src/wire/link/failure.js';
import { Kind, MOST_STRAY } from '../../../src/wire/link/protocol.js';
import type { Encoded, Link } from '../../../src/wire/link/types.js';
import { encodeValue } from '../../../src/wire/codec/codec.js';

/** A link that keeps what it was given, and refuses values above its limit. */
function linkOf(limit = 0): { link: Link; sent: [kind: number, id: number, arg: number, value: unknown][]; sizes: number[] } {
  const sent: [number, number, number, unknown][] = [];
  const sizes: number[] = [];
  const sendEncoded = (kind: number, id: number, arg: number, encoded: Encoded): void => {
    sizes.push(encoded.length);
    sent.push([kind, id, arg, decodeValue(encoded)]);
  };
  const sendValue = (kind: number, id: number, arg: number, value: unknown, root?: string): number => {
    const encoded = encodeValue(value, limit, root);
    sendEncoded(kind, id, arg, encoded);
    return encoded.length;
  };
  return { link: { sendEncoded, sendValue } as unknown as Link, sent, sizes };
}

describe('the failure of a call, on its way', () => {
  it('is the error as it was thrown, with arg 1 where it is permanent', () => {
    const { link, sent } = linkOf();
    sendFailure(link, 7, new RangeError('no'));
    sendFailure(link, 0, new Error('never'), true);
    expect(sent.map(([kind, id, arg, error]) => [kind, id, arg, String(error)])).to.deep.equal([
      [Kind.FAILURE, 7, 0, 'RangeError: no'],
      [Kind.FAILURE, 0, 1, 'Error: never'],
    ]);
  });

  it('is the name and the beginning of an error that is too large, and says why it is no more', () => {
    const { link, sent } = linkOf(4096);
    const error = new TypeError('m'.repeat(10_000));
    sendFailure(link, 1, error);
    expect(sent).to.have.length(1);
    const told = sent[0]![3] as Error;
    expect(told).to.include({ name: 'TypeError', message: 'm'.repeat(500) });
    expect(told.stack).to.equal(error.stack!.slice(0, 500));
    expect(String(told.cause)).to.match(/4096/);
  });

  it("is the encoder's error, with the place, for a thrown value that cannot be copied", () => {
    const { link, sent } = linkOf();
    sendFailure(link, 1, { deep: { call: () => 0 } });
    expect(sent).to.have.length(1);
    expect(String(sent[0]![3])).to.match(/NotCloneableError.*error\.deep\.call/);
  });

  it('is a name at least, where not even the beginning fits', () => {
    const { link, sent } = linkOf(40);
    sendFailure(link, 1, Object.assign(new Error('m'.repeat(1000)), { name: 'ErrorOfAVeryLongNameIndeed' }));
    expect(sent).to.deep.equal([[Kind.FAILURE, 1, 0, 'ErrorOfAVeryLongName']]);
  });

  it('is sent though looking at the error throws', () => {
    const { link, sent } = linkOf(300);
    const error = new Error('m'.repeat(1000));
    Object.defineProperty(error, 'stack', {
      get: () => {
        throw new Error('not for you');
      },
    });
    sendFailure(link, 1, error);
    expect(sent).to.have.length(1);
  });
});

describe('an uncaught error, on its way', () => {
  it('belongs to no call, and says whether its process ends for it', () => {
    const { link, sent } = linkOf();
    sendStray(link, new Error('oops'), true);
    sendStray(link, new Error('oops'), false);
    expect(sent.map(([kind, id, arg, error]) => [kind, id, arg, String(error)])).to.deep.equal([
      [Kind.STRAY, 0, 1, 'Error: oops'],
      [Kind.STRAY, 0, 0, 'Error: oops'],
    ]);
  });

  it('has no more bytes than the master takes, whatever the limit of messages', () => {
    const { link, sent, sizes } = linkOf();
    sendStray(link, new Error('m'.repeat(2 * MOST_STRAY)), true);
    expect((sent[0]![3] as Error).message).to.equal('m'.repeat(500));
    expect(Math.max(...sizes)).to.be.at.most(MOST_STRAY);
  });
});
