import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import { atEnd } from '../kit/index.js';
import { Scene } from '../promises/pool/scene.js';

const LINE = `${'y'.repeat(1023)}\n`;
const LINES = 1024;
/** Lines of one output that may lie in its pipe or port, and in the hands of its reader. */
const UNREAD = 200;

for (const where of ['process', 'thread'] as const)
  describe(`output of a worker in the runtime '${where}' that is printed faster than it is read`, () => {
    it('has its printing wait, so that it gathers neither in the worker nor in the master', async () => {
      let heard = 0;
      const hear = (event: unknown): void => void ((event as { line: string }).line.length > 1000 && heard++);
      subscribe('packet-ts:worker.output', hear);
      atEnd(() => unsubscribe('packet-ts:worker.output', hear));
      const { client } = await Scene.open({ where, timeout: '30s' });
      // One write, and many.
      await client.shout({ text: LINE.repeat(LINES), exit: false });
      expect(heard).to.be.above(2 * (LINES - UNREAD));
      for (let i = 0; i < 16; i++) await client.shout({ text: LINE.repeat(LINES / 16), exit: false });
      expect(heard).to.be.above(4 * (LINES - UNREAD));
    });
  });
