import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrap } from 'packet-ts';
import { Api } from './api.connection.js';
import { AppModule } from './app.module.js';

test('primes are counted, and what is no number is refused', async () => {
  const app = await bootstrap(AppModule, { listen: new Map([[Api, 'http://127.0.0.1:0']]), logger: false, signals: false });
  try {
    const { url } = app.address(Api);
    const answer = await fetch(`${url}/primes?below=100`);
    assert.deepEqual(await answer.json(), { below: 100, primes: 25 });
    assert.equal((await fetch(`${url}/primes?below=many`)).status, 400);
  } finally {
    await app.close();
  }
});
