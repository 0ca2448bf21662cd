import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { bootstrap, Connection, Module, OnData, type Mistake } from 'packet-ts';
import { OnRequest } from 'packet-ts/http';
import 'packet-ts/websocket';
import { createTestApp } from 'packet-ts/testing';
import { lines } from 'packet-ts/framing';
import type { Ctor } from '../../../src/decorators/ctor.js';
import { atEnd } from '../../kit/index.js';

const QUIET = { signals: false, logger: false } as const;

/** A connection class that listens there. */
function at(listen: string, options: object = {}): Ctor {
  // Cast: what a newcomer writes.
  @Connection({ listen: listen as 'tcp://127.0.0.1:0', framing: lines(), ...options })
  class Echo {
    @OnData() echo(line: string): string {
      return line;
    }
  }
  return Echo;
}

function web(listen: string): Ctor {
  @Connection({ listen: listen as 'http://127.0.0.1:0' })
  class Web {
    @OnRequest() answer(): Response {
      return new Response('here');
    }
  }
  return Web;
}

function moduleOf(...connections: readonly Ctor[]): Ctor {
  class AppModule {}
  Module({ connections: [...connections] })(AppModule);
  return AppModule;
}

async function mistakesOf(...connections: readonly Ctor[]): Promise<readonly string[]> {
  const started = await bootstrap(moduleOf(...connections), QUIET).catch((error: { mistakes?: readonly Mistake[] }) => error);
  if ('address' in started) {
    await started.close();
    return [];
  }
  return (started.mistakes ?? [{ where: '', wrong: String(started), remedy: '' }]).map(({ wrong, remedy }) => `${wrong}: ${remedy}`);
}

describe('an endpoint written wrongly', () => {
  it("'*' as a host is told, with what to write for all interfaces", async () => {
    for (const url of ['tcp://*:7100', 'udp://*:7100', 'tls://*:7100', 'ws://*:7100/x'])
      expect((await mistakesOf(at(url))).join(), url).to.contain("'*' is no host: all interfaces are 0.0.0.0");
    expect((await mistakesOf(web('http://*:7100'))).join()).to.contain("'*' is no host");
  });

  it('the same port twice in one application is told at bootstrap, before anything is bound', async () => {
    for (const [one, other] of [
      [at('tcp://127.0.0.1:7101'), at('tcp://127.0.0.1:7101')],
      [at('tcp://127.0.0.1:7101'), at('tcp://0.0.0.0:7101')],
      [at('tcp://:7101'), web('http://127.0.0.1:7101')],
      [at('udp://127.0.0.1:7101'), at('udp://127.0.0.1:7101')],
      [web('http://[::]:7101'), at('tcp://127.0.0.1:7101')],
    ] as const)
      expect((await mistakesOf(one, other)).join()).to.match(/7101.* are the same port, and only one can listen there/);
  });

  it('ports that several may share, or that are others, are none', async () => {
    const classes = [at('tcp://127.0.0.1:7102'), at('udp://127.0.0.1:7102'), at('tcp://127.0.0.1:0'), at('tcp://127.0.0.1:0')];
    expect(await mistakesOf(...classes, web('http://127.0.0.1:7103'), at('ws://127.0.0.1:7103/chat'))).to.deep.equal([]);
  });

  it('a mode in decimal is told, and in octal taken', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-mode-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const url = `unix:${join(folder, 'app.sock')}`;
    for (const mode of [666, 660, 600, 644, 700, 777, 440, 444, -1, 0.5])
      expect((await mistakesOf(at(url, { mode }))).join(), String(mode)).to.contain('permissions in octal, such as 0o600, 0o660 or 0o666');
    for (const mode of [0o600, 0o660, 0o666, 0o700, 0o770, 0o777, 0o620, 0]) expect(await mistakesOf(at(url, { mode }))).to.deep.equal([]);
  });
});

describe('a newcomer’s application', () => {
  it('under test: connect() to a class of requests says what to do instead', async () => {
    const Web = web('http://127.0.0.1:0');
    const app = await createTestApp(moduleOf(Web)).start();
    atEnd(() => app.close());
    const error = await app.connect(Web).catch((thrown: Error) => thrown);
    expect(error).to.include({ name: 'UsageError' });
    expect((error as Error).message).to.match(/^Web serves requests at http:\/\/127\.0\.0\.1:\d+.*: ask it with fetch\(\)/);
  });
});
