import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrap } from 'packet-ts';
import { Api } from './api.connection.js';
import { AppModule } from './app.module.js';
import type { Job } from './job-store.js';

test('a job is taken, runs in a process of its own and is done', { timeout: 60_000 }, async () => {
  const app = await bootstrap(AppModule, { listen: new Map([[Api, 'http://127.0.0.1:0']]), logger: false, signals: false });
  try {
    const { url } = app.address(Api);
    const added = await fetch(`${url}/jobs`, { method: 'POST', body: JSON.stringify({ text: 'hello', rounds: 1 }) });
    assert.equal(added.status, 202);
    const { id } = (await added.json()) as Job;
    const job = (await (await fetch(`${url}/jobs/${id}?wait`)).json()) as Job;
    assert.equal(job.state, 'done');
    assert.equal(job.result, '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
    assert.equal((await fetch(`${url}/jobs`, { method: 'POST', body: '{}' })).status, 400);
  } finally {
    await app.close();
  }
});
