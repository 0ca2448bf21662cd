import { expect } from 'chai';
import { BoundaryError, Connection, Module, OnData, OnError } from 'packet-ts';
import { json } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { z } from 'zod';
import { atEnd } from '../../kit/index.js';

describe('a message that fits none of several schemas', () => {
  it('is told with the names of the methods, and the issues of the nearest only; each schema is asked once', async () => {
    let asked = 0;
    const counted = z.string().refine(() => {
      asked++;
      return true;
    });
    const errors: Error[] = [];
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: json<unknown, unknown>() })
    class Chat {
      @OnData(z.object({ type: z.literal('join'), room: z.string(), as: z.string() })) join(): void {}
      @OnData(z.object({ note: counted, type: z.literal('say'), text: z.string() })) say(): void {}
      @OnData(z.object({ type: z.literal('leave'), room: z.string() })) leave(): void {}
      @OnError() explain(error: Error): string {
        errors.push(error);
        return error.message;
      }
    }
    @Module({ connections: [Chat] })
    class AppModule {}
    const app = await createTestApp(AppModule).start();
    atEnd(() => app.close());
    const client = await app.connect(Chat);
    client.send({ type: 'say', text: 5, note: 'x' });
    const words =
      'invalid message: it fits none of join(), say(), leave(); nearest is say(): text: Invalid input: expected string, received number';
    await client.expect(words);
    expect(errors[0]).to.be.instanceOf(BoundaryError);
    expect((errors[0] as BoundaryError).issues).to.have.length(1);
    // Once whether it fits, and once more for what is wrong.
    expect(asked).to.be.at.most(3);
  });
});
