import { test } from 'node:test';
import { createTestApp } from 'packet-ts/testing';
import { AppModule } from './app.module.js';
import { EvalConnection } from './eval.connection.js';

test('a line is evaluated, and an error is one line', async () => {
  const app = await createTestApp(AppModule).start();
  try {
    const client = await app.connect(EvalConnection);
    client.send('[1, 2, 3].map(n => n * 2)');
    await client.expect('[ 2, 4, 6 ]');
    client.send('nothing.here');
    await client.expect(/^ReferenceError: nothing is not defined/);
  } finally {
    await app.close();
  }
});
