import { test } from 'node:test';
import { createTestApp } from 'packet-ts/testing';
import { AppModule } from './app.module.js';
import { Chat } from './chat.connection.js';

test('what one says, all hear', async () => {
  const app = await createTestApp(AppModule).start();
  try {
    const ann = await app.connect(Chat);
    await ann.expect({ from: '*', text: '1 here' });
    const bob = await app.connect(Chat);
    await bob.expect({ from: '*', text: '2 here' });
    bob.send({ from: 'bob', text: 'hello' });
    await bob.expect({ from: 'bob', text: 'hello' });
    await ann.expect({ from: '*', text: 'somebody joined' });
    await ann.expect({ from: 'bob', text: 'hello' });
  } finally {
    await app.close();
  }
});
