import { expect } from 'chai';
import { Connection, OnData, OnError, Module } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { z } from 'zod';
import { toValidator, type AnySchema } from '../src/schema.js';

const schema = (validate: (value: unknown) => unknown): AnySchema => ({ '~standard': { version: 1, vendor: 'spec', validate } });

const asynchronous = schema(value => Promise.resolve({ value }));
const throwing = schema(() => {
  throw new TypeError('no regular expression');
});

describe('a schema', () => {
  it('may be of any library that follows Standard Schema', () => {
    const validate = toValidator(
      schema(value => (value === 1 ? { value: 'one' } : { issues: [{ message: 'not 1', path: [{ key: 'a' }, 0] }] })),
    );
    expect(validate(1)).to.deep.equal({ value: 'one' });
    expect(validate(2)).to.deep.equal({ issues: [{ message: 'not 1', path: ['a', 0] }] });
  });

  it('is broken when it answers with a promise, even one that rejects, and when it throws', () => {
    for (const [broken, words] of [
      [asynchronous, /asynchronous/],
      [schema(() => Promise.reject(new Error('later'))), /asynchronous/],
      [z.string().refine(() => Promise.resolve(true)), /asynchronous/],
      [throwing, /the schema threw: no regular expression/],
    ] as const) {
      const verdict = toValidator(broken)('x');
      expect(verdict).to.have.property('broken', true);
      expect(verdict.issues![0]!.message).to.match(words);
    }
  });

  for (const [name, broken] of [
    ['answers with a promise', asynchronous],
    ['throws', throwing],
  ] as const) {
    it(`that ${name} lets no method behind it take the message: @OnError is told`, async () => {
      @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
      class Routes {
        @OnData(z.literal('before')) before(line: string) {
          return line;
        }
        @OnData(broken) first() {
          return 'first';
        }
        @OnData() rest() {
          return 'rest';
        }
        @OnError() explain({ name, message }: Error) {
          return `${name}: ${message}`;
        }
      }
      @Module({ connections: [Routes] })
      class Routing {}
      await using app = await createTestApp(Routing).start();
      const client = await app.connect(Routes);
      client.send('before');
      await client.expect('before');
      client.send('behind');
      await client.expect(/^BoundaryError: .*the schema (is asynchronous|threw)/);
    });
  }
});
