import { expect } from 'chai';
import { openLink } from '../../src/wire/link.js';
import { duplexPair } from '../../src/wire/duplex-pair.js';
import { Kind } from '../../src/wire/protocol.js';
import { Ear } from './ear.js';

describe('a link', () => {
  it('carries messages in both directions, with and without values', async () => {
    const [left, right] = duplexPair();
    const [a, b] = [new Ear(), new Ear()];
    const ours = openLink(left, a, { maxMessageSize: 0 });
    const theirs = openLink(right, b, { maxMessageSize: 0 });
    ours.sendValue(Kind.CALL, 1, 0xffff_ffff, { input: [1, 'two', new Map([[3, 4n]])] });
    ours.send(Kind.PING, 0xffff_ffff, 0);
    expect(await b.next()).to.deep.equal([Kind.CALL, 1, 0xffff_ffff, { input: [1, 'two', new Map([[3, 4n]])] }]);
    expect(await b.next()).to.deep.equal([Kind.PING, 0xffff_ffff, 0, undefined]);
    theirs.sendValue(Kind.REPLY, 1, 0, 'answer');
    expect(await a.next()).to.deep.equal([Kind.REPLY, 1, 0, 'answer']);
    ours.end();
    expect(await b.ended).to.equal(undefined);
    expect(await a.ended).to.equal(undefined);
  });

  it('lets a ping and other calls pass a large value, and keeps the order of one id', async () => {
    const [left, right] = duplexPair();
    const [a, b] = [new Ear(), new Ear()];
    const ours = openLink(left, a, { maxMessageSize: 0 });
    openLink(right, b, { maxMessageSize: 0 });
    const large = Buffer.alloc(8 * 1024 * 1024, 'large');
    ours.sendValue(Kind.REPLY, 1, 0, large);
    ours.sendValue(Kind.ITEM, 1, 0, 'after');
    ours.send(Kind.PING, 0, 0);
    ours.sendValue(Kind.REPLY, 2, 0, 'other');
    expect((await b.next())[0]).to.equal(Kind.PING);
    expect((await b.next())[3]).to.equal('other');
    expect((await b.next())[3]).to.deep.equal(large);
    expect((await b.next())[3]).to.equal('after');
    ours.destroy();
    await Promise.all([a.ended, b.ended]);
  });
});
