import { expect } from 'chai';
import { BoundaryError, TaskNotFoundError } from '../../src/errors.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { ready, type Rig } from '../kit/workers/runtime-rig.js';
import { loaded, taskOf, workerOf } from '../kit/workers/worker-fixture.js';

class Mail {
  text(message: string): string {
    return `text ${message}`;
  }
  number(message: number): Promise<string> {
    return Promise.resolve(`number ${message}`);
  }
  task(): string {
    return 'task';
  }
}
const text = (value: unknown) => (typeof value === 'string' ? { value: value.toUpperCase() } : { issues: [{ message: 'no text' }] });
const number = (value: unknown) => (typeof value === 'number' ? { value } : { issues: [{ message: 'no number' }] });

function mail(
  mailbox = [
    { key: 'text', validate: text },
    { key: 'number', validate: number },
  ],
): Promise<Rig> {
  return ready(loaded(workerOf(Mail, [taskOf('task')], { mailbox })));
}

let last = 100;
function post({ master }: Rig, message: unknown, arg = 0): ReturnType<typeof master.settled> {
  const id = ++last;
  master.link.sendValue(Kind.MAIL, id, arg, message);
  return master.settled(id);
}

describe('the mailbox of a worker', () => {
  it('gives a message to the first @OnData whose schema accepts it, parsed', async () => {
    const rig = await mail();
    expect((await post(rig, 'hi')).value).to.equal('text HI');
    expect((await post(rig, 7)).value).to.equal('number 7');
  });

  it('answers a tell like an ask', async () => {
    expect((await post(await mail(), 7, 1)).value).to.equal('number 7');
  });

  it('refuses what none accepts, with its methods and the reasons of the nearest', async () => {
    const { kind, value } = await post(await mail(), null);
    expect(kind).to.equal('FAILURE');
    expect(value).to.be.instanceOf(BoundaryError);
    expect((value as BoundaryError).issues.map(({ message }) => message)).to.deep.equal(['no text']);
    expect((value as BoundaryError).message).to.match(/none of .*; nearest is /);
  });

  it('is not there where there is no @OnData', async () => {
    const rig = await mail([]);
    for (const [arg, task] of ['ask', 'tell'].entries()) {
      const { value } = await post(rig, 1, arg);
      expect(value).to.be.instanceOf(TaskNotFoundError).and.to.include({ task });
      expect((value as Error).message).to.match(new RegExp(`\\.${task} finds no mailbox: the worker has no @OnData`));
    }
  });

  it('stands in one line with the tasks', async () => {
    const rig = await mail();
    const mailed = post(rig, 1);
    const id = rig.master.call(0);
    await Promise.all([mailed, rig.master.settled(id)]);
    expect(rig.master.heard.filter(({ kind }) => kind === 'REPLY').map(({ value }) => value)).to.deep.equal(['number 1', 'task']);
  });
});
