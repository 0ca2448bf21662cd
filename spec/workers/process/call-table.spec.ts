import { expect } from 'chai';
import type { Call } from '../../../src/workers/call/call.js';
import { CallTable } from '../../../src/workers/process/call-table.js';

/** A table looks at nothing but the number. */
const numbered = (id: number): Call => ({ id }) as Call;

function tableUpTo(last: number): { table: CallTable; calls: Call[] } {
  const table = new CallTable();
  const calls = Array.from({ length: last }, (_, index) => numbered(index + 1));
  for (const call of calls) table.add(call);
  return { table, calls };
}

describe('CallTable', () => {
  it('finds each call by its number, however many there are', () => {
    const { table, calls } = tableUpTo(2000);
    for (const call of calls) expect(table.get(call.id)).to.equal(call);
    expect(table.size).to.equal(2000);
    expect(table.lastId).to.equal(2000);
  });

  it('finds nothing under a number that was not given, or whose call has left', () => {
    const { table, calls } = tableUpTo(600);
    for (const id of [0, 601, 1112, 0xffff_ffff]) expect(table.get(id)).to.equal(undefined);
    for (const call of [calls[0]!, calls[599]!]) {
      table.delete(call);
      expect(table.get(call.id)).to.equal(undefined);
    }
    expect(table.size).to.equal(598);
  });

  it('keeps one that is overtaken by thousands, and gives the oldest first', () => {
    const { table, calls } = tableUpTo(5000);
    const slow = [calls[0]!, calls[2]!, calls[4900]!, calls[4999]!];
    for (const call of calls) if (!slow.includes(call)) table.delete(call);
    expect([...table]).to.deep.equal(slow);
    expect(table.size).to.equal(4);
    for (const call of slow) table.delete(call);
    expect([...table]).to.deep.equal([]);
    expect(table.size).to.equal(0);
  });

  it('may be looked through while calls leave it', () => {
    const { table } = tableUpTo(700);
    for (const call of table) table.delete(call);
    expect(table.size).to.equal(0);
  });

  it('goes on counting where it was when it is cleared', () => {
    const { table } = tableUpTo(600);
    table.clear();
    expect([table.size, [...table].length, table.get(3), table.get(600)]).to.deep.equal([0, 0, undefined, undefined]);
    const next = numbered(table.lastId + 1);
    table.add(next);
    expect([next.id, [...table]]).to.deep.equal([601, [next]]);
  });
});
