import { expect } from 'chai';
import { rejectJoined } from '../../../src/workers/call/joined-stack.js';
import { rejection } from '../support/rig.js';

describe('the joined stack', () => {
  const remote = (): Error => Object.assign(new Error('remote'), { stack: 'Error: remote\n    at task (task.ts:1:1)' });
  const failing = (error: Error, place?: string): Promise<unknown> => new Promise(resolve => resolve(rejectJoined(error, place)));

  it("has the task's frames, the place, then whoever awaits", async () => {
    async function inner(): Promise<unknown> {
      return await failing(remote(), '[worker w pid 1]');
    }
    async function outer(): Promise<unknown> {
      return await inner();
    }
    const lines = (await rejection(outer())).stack!.split('\n').map(line => line.trim());
    expect(lines.slice(0, 3)).to.deep.equal(['Error: remote', 'at task (task.ts:1:1)', 'at [worker w pid 1]']);
    expect(lines[3]).to.match(/^at async inner/);
    expect(lines[4]).to.match(/^at async outer/);
  });

  it('names both processes of an error that is passed on, and the asker behind both once', async () => {
    async function asker(): Promise<unknown> {
      return await failing(await rejection(failing(remote(), '[worker a pid 1]')), '[worker b pid 2]');
    }
    const frames = (await rejection(asker())).stack!.split('\n').slice(1);
    expect(frames.join()).to.match(/worker a.*worker b/);
    expect(frames.filter(frame => frame.includes('async Context'))).to.have.length(1);
  });

  it('leaves a frozen error as it is', async () => {
    const frozen = Object.freeze(remote());
    expect(await rejection(failing(frozen, '[worker w pid 1]'))).to.equal(frozen);
  });
});
