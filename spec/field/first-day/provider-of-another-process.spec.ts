import { expect } from 'chai';
import {
  bootstrap,
  ConfigurationError,
  Connection,
  inject,
  InjectWorker,
  Logger,
  Module,
  OnData,
  Task,
  Worker,
  type WorkerClient,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { z } from 'zod';
import { rejection } from '../../workers/support/rig.js';

class Config {
  readonly url = 'db';
}

async function messageOf(module: new () => object): Promise<string> {
  const error = await rejection<ConfigurationError>(bootstrap(module, { logger: false, signals: false }));
  expect(error).to.be.instanceOf(ConfigurationError);
  return error.message;
}

describe('a class that injects what is provided in another process', () => {
  it('as a worker, what its module provides, is told what to write', async () => {
    @Worker('asks_its_module', { timeout: '1s' })
    class Asks {
      constructor(
        @inject('config') readonly config: unknown,
        @inject(Config) readonly other: Config,
      ) {}
      @Task({ output: z.string() }) url(): string {
        return this.other.url;
      }
    }
    @Module({ workers: [Asks], providers: [Config, { token: 'config', useValue: {} }] })
    class AppModule {}
    const message = await messageOf(AppModule);
    expect(message).to.include(
      "Asks.constructor, parameter 1: 'config' is provided by a module, in the master, and Asks lives in a process of its own. " +
        "provide it there, too: @Worker('asks_its_module', { providers: [{ token: 'config', … }] })",
    );
    expect(message).to.include('parameter 2: Config is provided by a module, in the master, and Asks lives in a process of its own');
    expect(message).to.include("@Worker('asks_its_module', { providers: [Config] }), or imports: [the module that has it]");
  });

  it('as a provider or connection of a worker, is told so, too', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Inner {
      constructor(@inject(Config) readonly config: Config) {}
      @OnData() echo(line: string): string {
        return line;
      }
    }
    @Worker('has_a_connection', { timeout: '1s', connections: [Inner] })
    class Has {}
    @Module({ workers: [Has], providers: [Config] })
    class AppModule {}
    expect(await messageOf(AppModule)).to.match(
      /Inner\.constructor, parameter 1: Config is provided by a module, in the master, and Has lives/,
    );
  });

  it('as a class of the master, what a worker provides, is told where that is', async () => {
    @Worker('keeps_config', { timeout: '1s', providers: [Config] })
    class Keeps {}
    class Wants {
      constructor(
        @InjectWorker(Keeps) readonly keeps: WorkerClient<Keeps>,
        @inject(Config) readonly config: Config,
      ) {}
    }
    @Module({ workers: [Keeps], providers: [Wants] })
    class AppModule {}
    expect(await messageOf(AppModule)).to.match(
      /Wants\.constructor, parameter 2: Config is provided inside Keeps, in a process of its own, and this class is in the master/,
    );
  });

  it('is told of a second copy of the package by its place', async () => {
    // A second copy is the same file under another url.
    const url = '../../../src/app/container/second-copy.js?copy';
    const copy = (await import(url)) as typeof import('../../../src/app/container/second-copy.js');
    class OtherLogger extends Logger {}
    copy.registerCopy('file:///elsewhere/packet-ts/index.js', [OtherLogger]);
    class Wants {
      constructor(@inject(OtherLogger) readonly logger: Logger) {}
    }
    @Module({ providers: [Wants] })
    class AppModule {}
    expect(await messageOf(AppModule)).to.match(
      /parameter 1: this OtherLogger belongs to a second copy of packet-ts, file:\/\/\/elsewhere\/packet-ts\/index\.js; the application runs on file:.*npm dedupe/,
    );
  });
});
