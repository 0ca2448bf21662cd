import { expect } from 'chai';
import { holdExamplePorts, tcpClient, type Script } from '../../kit/index.js';
import { ask, ESCAPE, PORT, startEvalServer } from '../../promises/support/eval-server.js';

describe('the eval server under load', function () {
  let server: Script;

  before(holdExamplePorts);
  before(async () => {
    server = await startEvalServer();
  });

  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  it('serves after twenty endless loops in a row', async () => {
    const client = await tcpClient(PORT);
    for (let i = 0; i < 20; i++) {
      expect(await ask(client, 'while(true){}')).to.match(/^WorkerTimeoutError: /);
    }
    expect(await ask(client, '1+1')).to.equal('2');
    await client.destroy();
  });

  const ends: readonly (readonly [string, string, RegExp])[] = [
    ['process.exit()', `${ESCAPE}.exit(7)`, /^WorkerCrashedError: .*exit code 7/],
    ['process.abort()', `${ESCAPE}.abort()`, /^WorkerCrashedError: .*SIGABRT/],
    ['SIGKILL', `p = ${ESCAPE}; p.kill(p.pid, 'SIGKILL')`, /^WorkerCrashedError: .*SIGKILL/],
    ['heap exhaustion', `a = []; for (;;) a.push(new Array(1000).fill(a.length))`, /^Worker(Crashed|Timeout)Error: /],
    [
      '1 GB of buffers',
      `B = this.constructor.constructor('return Buffer')(); a = []; for (;;) a.push(B.alloc(1 << 24, 1))`,
      /^Worker(Crashed|Timeout)Error: /,
    ],
  ];
  for (const [what, source, answer] of ends) {
    it(`outlives ${what} in a worker: the caller is told, the master stays, the next call works`, async () => {
      const client = await tcpClient(PORT);
      expect(await ask(client, source)).to.match(answer);
      expect(await ask(client, '1+1')).to.equal('2');
      expect(server.running).to.equal(true);
      await client.destroy();
    });
  }

  it('loses no call when an idle worker is killed', async () => {
    const client = await tcpClient(PORT);
    for (let round = 0; round < 10; round++) {
      // One that has answered: a process killed while it starts counts as a failed start.
      process.kill(Number(await ask(client, `${ESCAPE}.pid`)), 'SIGKILL');
      expect(await ask(client, '1+1')).to.equal('2');
    }
    await client.destroy();
  });

  it('answers 200 clients with 100 pipelined requests each: right, in order, none lost, none crossed', async () => {
    await Promise.all(
      Array.from({ length: 200 }, async (_, c) => {
        const client = await tcpClient(PORT);
        await client.send(Array.from({ length: 100 }, (_, r) => `${c} * 1000 + ${r}\n`).join(''));
        expect(await client.lines(100, { within: '50s' })).to.deep.equal(Array.from({ length: 100 }, (_, r) => String(c * 1000 + r)));
        await client.destroy();
      }),
    );
  });
});
