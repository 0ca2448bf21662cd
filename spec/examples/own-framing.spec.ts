import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { records } from '../../examples/own-framing/records.js';
import { slip } from '../../examples/own-framing/slip.js';
import { conformance } from '../../src/testing/conformance.js';

describe('own framings', () => {
  describe('records()', () => {
    conformance(records(), {
      samples: [
        {
          bytes: Buffer.from('\x01\x00\x02hi\x02\x00\x00', 'latin1'),
          messages: [
            { type: 1, value: Buffer.from('hi') },
            { type: 2, value: Buffer.alloc(0) },
          ],
        },
        {
          bytes: Buffer.concat([Buffer.from([3, 0xff, 0xff]), Buffer.alloc(65_535)]),
          messages: [{ type: 3, value: Buffer.alloc(65_535) }],
        },
      ],
      garbage: [Buffer.from([1, 0, 5, 0])],
    });
  });

  describe('slip()', () => {
    conformance(slip(), {
      samples: [
        {
          bytes: Buffer.from('\xc0one\xc0\xc0\xdb\xdctwo\xdb\xdd\xc0three\xc0', 'latin1'),
          messages: ['one', '\xc0two\xdb', 'three'].map(text => Buffer.from(text, 'latin1')),
        },
      ],
      garbage: [Buffer.from([0xdb, 0x00, 0xc0]), Buffer.from([0xdb, 0xc0]), Buffer.from([0x61])],
    });
  });

  for (const name of ['records', 'slip']) {
    it(`is in the documentation as it is here: ${name}`, () => {
      const code = readFileSync(new URL(`../../../examples/own-framing/${name}.ts`, import.meta.url), 'utf8');
      expect(readFileSync(new URL('../../../docs/framing.md', import.meta.url), 'utf8')).to.contain(`\`\`\`ts\n${code}\`\`\``);
    });
  }
});
