import { expect } from 'chai';
import { pino } from 'pino';
import { bootstrap, ConfigurationError, Connection, Module, OnData, spawn, Task, Worker, type Logger } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { z } from 'zod';
import { publish } from '../../../src/diagnostics.js';
import { atEnd } from '../../kit/index.js';

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Echo {
  @OnData() echo(line: string): string {
    return line;
  }
}
@Module({ connections: [Echo] })
class AppModule {}
@Worker('silent', { timeout: '1s' })
class Silent {
  @Task({ output: z.string() }) say(): string {
    return '';
  }
}

describe('a logger', () => {
  it('that lacks one of the methods, as console does, is a mistake of the configuration', async () => {
    const logger = console as unknown as Logger;
    const starts = [
      bootstrap(AppModule, { logger, signals: false }),
      spawn(Silent, { logger }),
      createTestApp(AppModule).start({ logger }),
    ];
    for (const { status, reason } of (await Promise.allSettled(starts)) as PromiseRejectedResult[]) {
      expect(status).to.equal('rejected');
      expect(reason).to.be.instanceOf(ConfigurationError);
      expect((reason as Error).message).to.match(/logger.*trace\(\).*child\(\)/);
    }
  });

  it('as pino is by itself gets no line with the same key twice', async () => {
    const written: string[] = [];
    const app = await bootstrap(AppModule, { signals: false, logger: pino({ level: 'trace' }, { write: line => written.push(line) }) });
    atEnd(() => app.close());
    const of = { app: app.name, worker: 'w', key: undefined, process: '1', workerPid: 4711, host: 'local' };
    publish('worker.exit', { ...of, exitCode: 1, signal: null, reason: 'exit', error: undefined, expected: false });
    publish('connection.output', { url: 'exec:', commandPid: 4712, line: 'x' });
    await app.close();
    for (const line of written) {
      const keys = [...line.matchAll(/[{,]"(\w+)":/g)].map(([, key]) => key!);
      expect(keys.filter(key => ['pid', 'level', 'time', 'msg', 'hostname'].includes(key))).to.deep.equal([
        'level',
        'time',
        'pid',
        'hostname',
        'msg',
      ]);
    }
    expect(written.join('')).to.include('"workerPid":4711').and.include('"commandPid":4712');
  });
});
