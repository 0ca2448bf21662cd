import { MessageChannel } from 'node:worker_threads';
import { expect } from 'chai';
import { NotCloneableError, spawn, transfer, UsageError, WorkerCrashedError, type WorkerClient } from 'packet-ts';
import { TransferWorker } from '../fixtures/workers/transfer.worker.js';
import { atEnd } from '../kit/index.js';
import { failure } from './pool/scene.js';

async function worker(runtime: 'process' | 'thread' | 'inline'): Promise<WorkerClient<TransferWorker>> {
  const client = await spawn(TransferWorker, { runtime, logger: false });
  atEnd(() => client.close({ timeout: '1s' }));
  return client;
}

const filled = (size: number, value = 1): Uint8Array<ArrayBuffer> => new Uint8Array(size).fill(value);

describe('transfer()', () => {
  for (const runtime of ['thread', 'inline'] as const)
    describe(`in the runtime '${runtime}'`, () => {
      let client: WorkerClient<TransferWorker>;
      before(async () => void (client = await worker(runtime)));

      it('moves an argument and a result, and says so by leaving nothing behind', async () => {
        for (const size of [10, 5_000_000, 40_000_000]) {
          const image = filled(size);
          const answer = client.bump(transfer(image));
          expect(image.length, 'moved when the call is made').to.equal(0);
          const bumped = await answer;
          expect([bumped.length, bumped[0], bumped[size - 1]]).to.deep.equal([size, 2, 2]);
          expect(await client.left()).to.equal(0);
        }
      });

      it('copies what was not said to be moved', async () => {
        const image = filled(100);
        expect((await client.bump(image))[0]).to.equal(2);
        expect([image.length, image[0]]).to.deep.equal([100, 1]);
      });

      it('moves what is nested in a value, next to what is copied', async () => {
        const [moved, copied] = [filled(1000), filled(1000)];
        const { name, parts } = await client.nested({ name: 'both', parts: [transfer(moved), copied, moved] });
        expect([moved.length, copied.length]).to.deep.equal([0, 1000]);
        expect(name).to.equal('BOTH');
        expect(parts.map(({ length }) => length)).to.deep.equal([1000, 1000, 1000]);
        expect(parts[0]).to.equal(parts[2]);
      });

      it('moves Buffers as Buffers, and copies those that are a part of more', async () => {
        const own = Buffer.from(new ArrayBuffer(100));
        const pooled = Buffer.from('a few bytes');
        const { parts } = await client.nested({ name: '', parts: [transfer(own), transfer(pooled)] });
        expect(parts.every(part => Buffer.isBuffer(part))).to.equal(true);
        expect([own.length, pooled.toString(), String(parts[1])]).to.deep.equal([0, 'a few bytes', 'a few bytes']);
      });

      it('moves items, out and in', async () => {
        const firsts: number[] = [];
        for await (const piece of client.pieces(40)) firsts.push(piece[0]!);
        expect(firsts).to.deep.equal(Array.from({ length: 40 }, (_, i) => i));
        const given = Array.from({ length: 40 }, () => filled(100));
        expect(await client.gather(undefined, { send: given.map(each => transfer(each)) })).to.equal(4000);
        expect(given.every(({ length }) => length === 0)).to.equal(true);
      });

      it('lets SharedArrayBuffer and views of it pass, shared', async () => {
        const memory = new SharedArrayBuffer(8);
        const counter = new Int32Array(memory);
        counter[0] = 1;
        expect(await client.count({ counter, memory })).to.equal(true);
        expect(counter[0]).to.equal(42);
      });

      it('lets a MessagePort pass', async () => {
        const { port1, port2 } = new MessageChannel();
        const heard = new Promise(resolve => port1.once('message', resolve));
        await client.greet(port2);
        expect(await heard).to.equal('hello');
        port1.close();
      });

      it('refuses what was moved away already, naming where it is, and that call alone', async () => {
        const [gone, image] = [filled(10), filled(10)];
        await client.bump(transfer(gone));
        const { port1, port2 } = new MessageChannel();
        await client.greet(port2);
        const running = client.gather(undefined, { send: [filled(3)] });
        for (const [again, place] of [
          [() => client.bump(transfer(gone)), 'input is memory that was moved away already'],
          [() => client.bump(gone), 'input is memory that was moved away already'],
          [() => client.nested({ name: '', parts: [image, gone] }), 'input.parts[1] is memory that was moved away already'],
          [() => client.greet(port2), 'input is a MessagePort that was closed or passed on already'],
          [() => client.nested({ port2, parts: [transfer(image)] } as never), 'input.port2 is a MessagePort'],
        ] as const) {
          const error = await failure(again());
          expect(error).to.be.instanceOf(NotCloneableError);
          expect(error.message).to.include(place);
        }
        expect(image.length, 'it stayed in its place').to.equal(10);
        expect(await running, 'its neighbour').to.equal(3);
        port1.close();
      });

      it('moves nothing of a value that cannot be sent', async () => {
        const image = filled(10);
        const error = await failure(client.nested({ name: (() => {}) as never, parts: [transfer(image)] }));
        expect(error).to.be.instanceOf(NotCloneableError);
        expect(image.length).to.equal(10);
      });
    });

  it('is over with the thread that has the memory: such a call is not tried again, whatever its task says', async () => {
    const client = await worker('thread');
    const error = await failure<WorkerCrashedError>(client.die(transfer(filled(10))));
    expect(error).to.be.instanceOf(WorkerCrashedError);
    expect(error.previous).to.deep.equal([]);
    const copied = await failure<WorkerCrashedError>(client.die(filled(10)));
    expect(copied.previous, 'one that was copied is').to.have.length(3);
  });

  describe('to a process', () => {
    let client: WorkerClient<TransferWorker>;
    before(async () => void (client = await worker('process')));

    it('copies, both ways', async () => {
      const image = filled(1000);
      expect((await client.bump(transfer(image)))[0]).to.equal(2);
      expect(image.length).to.equal(1000);
      expect(await client.left()).to.equal(1000);
    });

    it('counts once: memory that was copied is not moved by a later call', async () => {
      const [process, thread] = [await worker('process'), await worker('thread')];
      const image = filled(10);
      await process.bump(transfer(image));
      await thread.bump(image);
      expect(image.length).to.equal(10);
    });

    it('refuses shared memory and ports, naming where they are', async () => {
      const memory = new SharedArrayBuffer(8);
      const shared = await failure(client.count({ counter: new Int32Array(memory), memory }));
      expect(shared).to.be.instanceOf(NotCloneableError);
      expect(shared.message).to.match(/input\.\w+ is .*SharedArrayBuffer/);
      const { port1, port2 } = new MessageChannel();
      expect(await failure(client.greet(port2))).to.be.instanceOf(NotCloneableError);
      port1.close();
    });
  });

  it('takes nothing but memory and ports', () => {
    for (const wrong of [new SharedArrayBuffer(1), 'text', undefined, {}]) expect(() => transfer(wrong as never)).to.throw(UsageError);
  });
});
