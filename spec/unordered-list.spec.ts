import { expect } from 'chai';
import { UnorderedList, type ListedItem } from '../src/unordered-list.js';

interface Named extends ListedItem {
  readonly name: string;
}

describe('an unordered list', () => {
  const named = (name: string): Named => ({ name, listIndex: -1 });
  const namesIn = (list: UnorderedList<Named>): string => [...list].map(({ name }) => name).join('');

  it('has what was added and not deleted, whichever is deleted', () => {
    for (const first of [0, 1, 2, 3]) {
      for (const second of [0, 1, 2, 3]) {
        const list = new UnorderedList<Named>();
        const items = ['a', 'b', 'c', 'd'].map(named);
        for (const item of items) list.add(item);
        list.delete(items[first]!);
        list.delete(items[second]!);
        const left = items.filter((_, i) => i !== first && i !== second);
        expect([...list]).to.have.members(left);
        expect(list.size).to.equal(left.length);
      }
    }
  });

  it('takes no notice of what is not there, an item of another list included', () => {
    const one = new UnorderedList<Named>();
    const other = new UnorderedList<Named>();
    const item = named('a');
    one.add(named('b'));
    one.delete(item);
    other.add(item);
    one.delete(item);
    expect([namesIn(one), namesIn(other)]).to.deep.equal(['b', 'a']);
  });

  it('can be changed while it is gone through', () => {
    const list = new UnorderedList<Named>();
    for (const name of 'abc') list.add(named(name));
    let seen = '';
    for (const item of list) {
      seen += item.name;
      list.delete(item);
    }
    expect([seen, list.size]).to.deep.equal(['abc', 0]);
  });
});
