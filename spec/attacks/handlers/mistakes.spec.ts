import { expect } from 'chai';
import { Connection, Module, OnData, OnError, InjectWorker, Task, Worker, BoundaryError, type WorkerClient } from 'packet-ts';
import { json, objects } from 'packet-ts/framing';
import { z } from 'zod';
import { createTestApp } from 'packet-ts/testing';
import { atEnd } from '../../kit/index.js';
import { House } from '../support/house.js';

const MISTAKES = 200_000;
const LIST = `{"tags":[${'1,'.repeat(MISTAKES - 1)}1]}\n`;
const Tags = z.object({ tags: z.array(z.string()) });

describe('a message with very many mistakes', function () {
  this.slow(5000);

  it('is answered with ten of them and how many more there are, and others are served beside it', async () => {
    const seen: BoundaryError[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: json<unknown, unknown>() })
    class Tagged {
      @OnData(Tags) tags(message: z.infer<typeof Tags>): number {
        return message.tags.length;
      }
      @OnError() explain(error: Error): unknown {
        if (error instanceof BoundaryError) seen.push(error);
        return { error: error.message };
      }
    }
    const house = await House.open([Tagged]);
    const peer = await house.connect(Tagged);
    await peer.send(LIST);
    const { error } = JSON.parse(await peer.line({ within: '20s' })) as { error: string };
    expect(error)
      .to.match(/^invalid message: tags\.0: .*; tags\.9: .*; and 990 others or more$/)
      .and.not.include('call stack');
    expect(error.length).to.be.below(1000);
    expect(seen[0]).to.include({ issueCount: 1000 });
    expect(seen[0]!.issues).to.have.length(10);
    // Five more at once, and a neighbour's lines between them: at least one of them is answered before the last of those.
    await peer.send(LIST.repeat(5));
    await house.servesOthers();
    for (let i = 0; i < 5; i++) await peer.line({ within: '20s' });
    await peer.destroy();
  });

  it('costs as many looks at its parts when it is ten times as long', async () => {
    const looks: number[] = [];
    let looked = 0;
    const Part = z.custom<string>(() => {
      looked++;
      return false;
    });
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: json<unknown, unknown>() })
    class Counted {
      @OnData(z.array(Part)) parts(): void {}
      @OnData(z.object({ parts: z.array(Part) })) more(): void {}
      @OnError() explain(): number {
        looks.push(looked);
        looked = 0;
        return 0;
      }
    }
    const house = await House.open([Counted]);
    const peer = await house.connect(Counted);
    for (const length of [20_000, 200_000]) {
      await peer.send(`[${'1,'.repeat(length - 1)}1]\n`);
      await peer.line({ within: '20s' });
    }
    expect(looks[1]).to.equal(looks[0]).and.to.be.below(2000);
    await peer.destroy();
  });

  it('says as little as an object, as the input of a task, and as its output', async () => {
    @Worker('sloppy', { timeout: '20s' })
    class Sloppy {
      @Task({ input: z.array(z.string()), output: z.array(z.string()) })
      list(given: string[]): string[] {
        // What the types forbid.
        return given.length === 0 ? (Array.from({ length: MISTAKES }, () => 1) as unknown as string[]) : given;
      }
    }
    const errors: Error[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: objects<unknown, unknown>() })
    class Objects {
      constructor(@InjectWorker(Sloppy) private readonly sloppy: WorkerClient<Sloppy>) {}
      @OnData(Tags) tags(): void {}
      @OnData(z.literal('output')) output(): Promise<unknown> {
        return this.sloppy.list([]);
      }
      @OnData(z.literal('input')) input(): Promise<unknown> {
        return this.sloppy.list(Array.from({ length: MISTAKES }, () => 1) as unknown as string[]);
      }
      @OnError() explain(error: Error): string {
        errors.push(error);
        return error.message;
      }
    }
    @Module({ connections: [Objects], workers: [Sloppy] })
    class AppModule {}
    const app = await createTestApp(AppModule).start();
    atEnd(() => app.close());
    const client = await app.connect(Objects);
    for (const message of ['input', 'output', { tags: Array.from({ length: 10_000 }, () => 1) }]) {
      client.send(message);
      await client.next({ within: '20s' });
    }
    for (const error of errors) {
      expect(error).to.be.instanceOf(BoundaryError);
      expect((error as BoundaryError).issues.length).to.be.at.most(10);
      expect(error.message.length).to.be.below(1500);
      expect(error.message).to.not.include('call stack');
    }
    expect(errors).to.have.length(3);
  });
});
