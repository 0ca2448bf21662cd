import { expect } from 'chai';
import { z } from 'zod';
import { toValidator } from '../../../src/schema.js';
import { decodeValue, encodeValue } from '../../../src/wire/codec/codec.js';

interface Tree {
  readonly left?: Tree | undefined;
  readonly right?: Tree | undefined;
}

/** So few bytes, and 2⁴⁰ nodes for whoever follows each way through it. */
const DEPTH = 40;

function shared(leaf: unknown): unknown {
  let tree = leaf;
  for (let i = 0; i < DEPTH; i++) tree = { left: tree, right: tree };
  return decodeValue(encodeValue(tree));
}

describe('a value whose parts are shared, against a recursive schema', () => {
  let looks = 0;
  const tree: z.ZodType<Tree> = z.lazy(() =>
    z.object({ left: tree.optional(), right: tree.optional() }).refine(() => {
      looks++;
      return true;
    }),
  );
  const validator = toValidator(tree);

  it('is looked at once for each part, not once for each way to it', () => {
    looks = 0;
    expect(validator(shared({})).issues).to.equal(undefined);
    expect(looks).to.be.within(1, 4 * DEPTH);
  });

  it('is refused after a bounded search', () => {
    looks = 0;
    const { issues } = validator(shared({ left: 7 }));
    expect(issues?.[0]?.message).to.contain('expected object, received number');
    // The search for issues visits 5000 parts, and asks the schema about each.
    expect(looks).to.be.below(5_000 * 2 * DEPTH);
  });
});
