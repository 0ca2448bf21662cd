import { expect } from 'chai';
import { betterOfTwo, byOwnership, subsetFor } from '../../src/mesh/choice.js';
import { decodePresence, encodePresence, type Presence } from '../../src/mesh/presence.js';
import { differenceOf } from '../../src/mesh/signature.js';
import { subjectsOf, tokenOf } from '../../src/mesh/subjects.js';

const hosts = Array.from({ length: 20 }, (_, i) => ({ name: `host-${i}`, zone: i % 2 === 0 ? 'even' : 'odd' }));
const keys = Array.from({ length: 2_000 }, (_, i) => `key-${i}`);

describe('the choice of a host', () => {
  it('moves only the keys of a host that goes', () => {
    const before = new Map(keys.map(key => [key, byOwnership(key, hosts)[0]!.name]));
    const left = hosts.slice(1);
    const moved = keys.filter(key => byOwnership(key, left)[0]!.name !== before.get(key));
    expect(moved.every(key => before.get(key) === 'host-0')).to.equal(true);
    expect(moved.length).to.be.within(50, 160);
  });

  it('links each caller to at most so many hosts, all hosts to about as many callers', () => {
    const links = new Map<string, number>();
    for (const caller of keys) {
      const subset = subsetFor(caller, undefined, hosts, 4);
      expect(subset).to.have.length(4);
      for (const { name } of subset) links.set(name, (links.get(name) ?? 0) + 1);
    }
    for (const count of links.values()) expect(count).to.be.within(300, 500);
  });

  it('gives a thousand callers of a thousand hosts eight links each, and no host many', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => ({ name: `host-${i}` }));
    const links = new Map(many.map(({ name }) => [name, 0]));
    for (let i = 0; i < 1_000; i++)
      for (const { name } of subsetFor(`caller-${i}`, undefined, many, 8)) links.set(name, links.get(name)! + 1);
    expect([...links.values()].reduce((sum, count) => sum + count)).to.equal(8_000);
    expect(Math.max(...links.values())).to.be.below(30);
  });

  it('orders hosts of one name alike, in whatever order they are known', () => {
    const twins = [
      { name: 'twin', id: 'b' },
      { name: 'twin', id: 'a' },
    ];
    expect(byOwnership('key', twins)).to.deep.equal(byOwnership('key', [...twins].reverse()));
  });

  it('takes hosts of its own zone, and others only where there are none', () => {
    expect(new Set(subsetFor('me', 'odd', hosts, 8).map(({ zone }) => zone))).to.deep.equal(new Set(['odd']));
    expect(subsetFor('me', 'elsewhere', hosts, 8)).to.have.length(8);
  });

  it('gives a call to the less loaded of two random hosts', () => {
    const load = new Map(hosts.map(({ name }) => [name, 0]));
    for (let i = 0; i < 2_000; i++) {
      const { name } = betterOfTwo(hosts, host => load.get(host.name)!)!;
      load.set(name, load.get(name)! + 1);
    }
    for (const count of load.values()) expect(count).to.be.within(90, 110);
    expect(betterOfTwo([], () => 0)).to.equal(undefined);
    expect(betterOfTwo(['only'], () => 0)).to.equal('only');
  });
});

describe('subjects of a mesh', () => {
  it('give every name a token of its own, whatever letters it has', () => {
    const names = ['a', 'a_b', 'a.b', 'a b', 'a*', 'ü', 'a_x2eb', 'a_x5fx2eb', '>', '🐎'];
    expect(tokenOf('eval_worker')).to.equal('eval_worker');
    const tokens = names.map(name => tokenOf(name));
    expect(new Set(tokens).size).to.equal(names.length);
    for (const token of tokens) expect(token).to.match(/^[\w-]+$/);
  });

  it('let hosts send frames to subjects of callers only', () => {
    const subjects = subjectsOf('shop');
    expect(subjects.isCaller(subjects.toCaller('web', 'id'))).to.equal(true);
    for (const prefix of ['shop.q.w.h', 'other.c.web.id', 'shop.c.web.*', 'shop.c.web.id.more', 'shop.c.>', ''])
      expect(subjects.isCaller(prefix), prefix).to.equal(false);
  });

  it('let answers go to subjects of callers and links only', () => {
    const subjects = subjectsOf('shop');
    for (const reply of [`${subjects.toCaller('web', 'id')}.session`, subjects.toHost('w', 'host', 'session')])
      expect(subjects.isAnswer(reply), reply).to.equal(true);
    for (const reply of [
      'shop.here.w',
      'shop.ch.room.a.b',
      'other.c.web.id.s',
      'shop.c.web.id.>',
      'shop.c.web.id',
      'shop.c.web.id.s.more',
      '',
    ])
      expect(subjects.isAnswer(reply), reply).to.equal(false);
  });
});

describe('the word of a host', () => {
  const presence: Presence = { id: 'abc', name: 'one', zone: undefined, version: 1, slots: 4, signature: { run: 'x' }, isLeaving: false };

  it('is read as it was written, and nothing else is', () => {
    expect(decodePresence(encodePresence(presence))).to.include({ id: 'abc', name: 'one', slots: 4 });
    for (const text of ['', '{', 'null', '{"id":"a.b"}', JSON.stringify({ ...presence, slots: -1 })])
      expect(decodePresence(Buffer.from(text)), text).to.equal(undefined);
  });

  it('may offer more than a caller knows, and not less, or anything else', () => {
    expect(differenceOf({ run: 'a', 'run.input': 'b' }, { run: 'a', 'run.input': 'b', more: 'c' })).to.equal(undefined);
    expect(differenceOf({ run: 'a' }, {})).to.equal(`it has no task 'run'`);
    expect(differenceOf({ run: 'a', 'run.input': 'b' }, { run: 'a', 'run.input': 'c' })).to.include('another schema for input');
    expect(differenceOf({ run: 'a' }, { run: 'b' })).to.include('declared in another way');
  });
});
