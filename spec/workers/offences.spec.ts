import { expect } from 'chai';
import { WorkerCrashedError } from '../../src/errors.js';
import { Kind, UPWARD } from '../../src/wire/link/protocol.js';
import { Events } from '../kit/events.js';
import type { FakeWorker, Heard } from './support/fake-host.js';
import { rejection, Rig } from './support/rig.js';

describe('a process is not trusted', () => {
  const offences: [string, (worker: FakeWorker, call: Heard) => void][] = [
    ['answers a call that was never made', worker => worker.link.sendValue(Kind.REPLY, 99, 0, 1)],
    ['answers call 0', worker => worker.link.sendValue(Kind.REPLY, 0, 0, 1)],
    ['fails a call that was never made', worker => worker.link.sendValue(Kind.FAILURE, 99, 0, new Error('x'))],
    ['says hello twice', worker => worker.hello()],
    ['is ready twice', worker => worker.link.send(Kind.READY, 0, 0)],
    ['cannot start after it was ready', worker => worker.link.sendValue(Kind.FAILURE, 0, 0, new Error('x'))],
    ['streams for a task that answers once', (worker, { id }) => worker.link.sendValue(Kind.ITEM, id, 0, 1)],
    ['ends a stream that there is none of', (worker, { id }) => worker.link.send(Kind.END, id, 0)],
    ['drops a call that nobody gave up', (worker, { id }) => worker.link.send(Kind.DROPPED, id, 0)],
    ['gives credit for what it does not receive', (worker, { id }) => worker.link.send(Kind.CREDIT, id, (1 << 24) | 1)],
    ['gives credit of an unknown kind', (worker, { id }) => worker.link.send(Kind.CREDIT, id, (9 << 24) | 1)],
    ['emits an event without a name', (worker, { id }) => worker.link.sendValue(Kind.EVENT, id, 0, 'progress')],
    ['emits an event that its task does not declare', (worker, { id }) => worker.link.sendValue(Kind.EVENT, id, 0, ['other', 1])],
    ['answers a ping that was never sent', worker => worker.link.send(Kind.PONG, 0, 1)],
    ['sends what only masters send: a call', worker => worker.link.sendValue(Kind.CALL, 1, 0, 1)],
    ['sends what only masters send: a boot message', worker => worker.link.sendValue(Kind.BOOT, 0, 0, {})],
    ['takes a socket that it was not given', worker => worker.link.send(Kind.SOCKET_ACK, 1, 0)],
    ['tells of the end of a socket that it has not', worker => worker.link.send(Kind.SOCKET_CLOSED, 1, 0)],
    ['is quiet, and nobody asked', worker => worker.link.send(Kind.DRAINED, 0, 0)],
    ['listens where it has nothing to listen', worker => worker.link.sendValue(Kind.LISTENS, 0, 0, { connection: 0, endpoint: 0 })],
    ['sends a kind that does not exist', worker => worker.link.send(200, 0, 0)],
    ['calls another worker without naming one', worker => worker.link.sendValue(Kind.NESTED_CALL, UPWARD + 1, 0, { worker: 5 })],
    [
      'calls another worker in an unknown way',
      worker => worker.link.sendValue(Kind.NESTED_CALL, UPWARD + 1, 7, { worker: 'fixture', input: 1 }),
    ],
    [
      'sends unasked messages without credit',
      worker => {
        for (let i = 0; i < 65; i++) worker.link.sendValue(Kind.MESSAGE, 0, 0, i);
      },
    ],
    [
      'sends unasked messages beyond the bytes of its credit',
      worker => {
        for (let i = 0; i < 2; i++) worker.link.sendValue(Kind.MESSAGE, 0, 0, 'x'.repeat(300_000));
      },
    ],
    ['tells of an uncaught error of megabytes', worker => worker.link.sendValue(Kind.STRAY, 0, 0, new Error('m'.repeat(2_000_000)))],
    ['logs what is no record', worker => worker.link.sendValue(Kind.LOG, 0, 30, ['now', {}, 'x', 0])],
    ['logs a record that is too large', worker => worker.link.sendValue(Kind.LOG, 0, 30, [1, { x: 'x'.repeat(70_000) }, 'x', 0])],
    [
      'logs without credit',
      worker => {
        for (let i = 0; i < 6_000; i++) worker.link.sendValue(Kind.LOG, 0, 30, [1, {}, 'x', 0]);
      },
    ],
    ['writes garbage', worker => worker.link.sendEncoded(Kind.REPLY, 1, 0, Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]))],
  ];

  for (const [what, commit] of offences) {
    it(`and pays with its life when it ${what}; the next call works`, async () => {
      const rig = await Rig.started();
      // Unasked messages wait for whoever hears them.
      rig.workforce.on('message', () => new Promise(() => {}));
      using _ = new Events('worker.log');
      const rejected = rejection<WorkerCrashedError>(rig.client().run(1));
      const worker = await rig.host.worker(1);
      const call = await worker.call();
      worker.begun = call.id;
      commit(worker, call);
      const error = await rejected;
      expect(error).to.be.instanceOf(WorkerCrashedError).and.to.include({ reason: 'protocol' });
      expect(worker.signals).to.include('SIGKILL');
      const answer = rig.client().run(2);
      const second = await rig.host.worker(2);
      second.reply(await second.call(2));
      expect(await answer).to.equal(2);
      await rig.close();
      expect(rig.clock.pending).to.equal(0);
    });
  }

  const starts: [string, (worker: FakeWorker) => void][] = [
    ['speaks another version', worker => worker.hello({ version: 99 })],
    ['is another worker', worker => worker.hello({ name: 'other' })],
    ['lacks a task', worker => worker.hello({ tasks: ['run'], context: [false] })],
    ['speaks before its hello', worker => worker.link.send(Kind.READY, 0, 0)],
    ['says hello with garbage', worker => worker.link.sendValue(Kind.HELLO, 0, 0, null)],
    [
      'answers before it is ready',
      worker => {
        worker.hello();
        worker.link.sendValue(Kind.REPLY, 1, 0, 1);
      },
    ],
  ];

  for (const [what, boot] of starts) {
    it(`and does not start when it ${what}`, async () => {
      const rig = new Rig({ restart: { maxFailedStarts: 1, within: 10_000, delay: 100, maxDelay: 10_000 } }, { boot });
      const error = await rejection(rig.start());
      expect(error).to.include({ code: 'ERR_PACKET_WORKER_UNAVAILABLE' });
      expect((error.cause as Error).name).to.equal('ProtocolError');
      await rig.close();
      expect(rig.clock.pending).to.equal(0);
    });
  }

  it('but its last words about a call that is over are forgiven', async () => {
    const rig = await Rig.started();
    const answer = rig.client().tick(1);
    const worker = await rig.host.worker(1);
    const call = await worker.call();
    worker.reply(call);
    worker.link.sendValue(Kind.EVENT, call.id, 0, ['progress', 1]);
    await answer;
    await rig.settle();
    expect(worker.signals).to.deep.equal([]);
    await rig.close();
  });

  it('and the stream that a caller sends is read no further than it has taken, whatever credit it gives', async () => {
    const rig = await Rig.started();
    let read = 0;
    const items = function* (): Generator<number> {
      while (read < 10_000) yield read++;
    };
    const rejected = rejection<WorkerCrashedError>(rig.client().take(1, { send: items() }));
    const worker = await rig.host.worker(1);
    const call = await worker.call();
    for (let i = 0; i < 16; i++) await worker.next(Kind.ITEM);
    worker.begun = call.id;
    worker.link.send(Kind.CREDIT, call.id, (1 << 24) | 0xff_ffff);
    expect(await rejected).to.include({ reason: 'protocol' });
    expect(read).to.equal(16);
    await rig.close();
  });

  it('and settles no call twice', async () => {
    const rig = await Rig.started();
    const answer = rig.client().run(1);
    const worker = await rig.host.worker(1);
    const call = await worker.call();
    worker.reply(call, 'first');
    worker.reply(call, 'second');
    expect(await answer).to.equal('first');
    await rig.settle();
    expect(worker.signals).to.include('SIGKILL');
    await rig.close();
  });
});
