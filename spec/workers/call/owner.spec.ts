import { expect } from 'chai';
import { Owner, type Belonging } from '../../../src/workers/call/owner.js';

class Fake implements Belonging {
  elder: Belonging | undefined;
  younger: Belonging | undefined;
  readonly reasons: unknown[] = [];
  constructor(readonly aborted?: () => void) {}

  abort(reason: unknown): void {
    this.reasons.push(reason);
    this.aborted?.();
  }
}

describe('Owner', () => {
  it('aborts what is under way in the order in which it came, and nothing that has left', () => {
    const owner = new Owner('app', 'a');
    const order: number[] = [];
    const calls = [0, 1, 2, 3, 4].map(index => new Fake(() => void order.push(index)));
    for (const call of calls) owner.add(call);
    for (const left of [0, 2, 4]) owner.delete(calls[left]!);
    owner.abort('gone');
    expect(order).to.deep.equal([1, 3]);
    expect(calls[1]!.reasons).to.deep.equal(['gone']);
  });

  it('groups connections by address, IPv6 by /64, and those without one by where they come from; others stand alone', () => {
    const groupOf = (address: string | undefined, url = 'tcp://x'): string | undefined =>
      new Owner('connection', 'c1', { connection: { id: 'c1', remote: { url, address } } }).group;
    expect(groupOf('203.0.113.7')).to.equal('203.0.113.7').and.equal(groupOf('::ffff:203.0.113.7'));
    expect(groupOf('2001:db8::1')).to.equal(groupOf('2001:db8::2')).and.not.equal(groupOf('2001:db8:0:1::1'));
    expect(groupOf(undefined, 'unix:/run/a')).to.equal('unix:/run/a');
    const caller = { connection: { id: 'c1', remote: { url: 'tcp://x', address: '203.0.113.7' } } };
    expect(new Owner('task', 't1', caller).group).to.equal(undefined);
    expect(new Owner('app', 'app').group).to.equal(undefined);
    expect(new Owner('connection', 'c1').group).to.equal(undefined);
  });

  it('is not disturbed by one that leaves twice, or was never there', () => {
    const owner = new Owner('app', 'a');
    const [first, second, stranger] = [new Fake(), new Fake(), new Fake()];
    owner.add(first);
    owner.add(second);
    for (const call of [stranger, first, first, stranger]) owner.delete(call);
    owner.abort('gone');
    expect([first.reasons, second.reasons, stranger.reasons]).to.deep.equal([[], ['gone'], []]);
  });

  it('lets calls be made while it aborts: they are aborted next time', () => {
    const owner = new Owner('app', 'a');
    const late = new Fake();
    const call = new Fake(() => owner.add(late));
    owner.add(call);
    owner.abort('first');
    expect([call.reasons, late.reasons]).to.deep.equal([['first'], []]);
    owner.delete(call);
    owner.abort('second');
    expect([call.reasons, late.reasons]).to.deep.equal([['first'], ['second']]);
  });

  it('aborts each call once, also where one of them takes others with it', () => {
    const owner = new Owner('app', 'a');
    const third = new Fake();
    const second = new Fake();
    const first = new Fake(() => owner.delete(second));
    for (const call of [first, second, third]) owner.add(call);
    owner.abort('gone');
    owner.abort('gone again');
    expect([first, second, third].map(({ reasons }) => reasons)).to.deep.equal([['gone'], ['gone'], ['gone']]);
  });
});
