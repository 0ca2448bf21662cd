import { expect } from 'chai';
import { bootstrap, Connection, Module, PacketError, type App } from 'packet-ts';
import { createTestApp } from 'packet-ts/testing';

class Plain {}

@Connection()
class Handler {}

@Module({})
class AppModule {}

const nothing = (): void => {};
/** What the types forbid: JavaScript, a cast, and a circle of imports give it all the same. */
const none = undefined as never;
const bad = 'nope' as never;

describe('a public call with bad arguments', () => {
  let app: App;

  before(async () => {
    app = await bootstrap(AppModule, { logger: false, signals: false });
  });

  after(() => app.close());

  const calls: Record<string, [call: () => unknown, message: RegExp]> = {
    'app.get(undefined)': [() => app.get(none), /^undefined is no token/],
    'app.get(Plain)': [() => app.get(Plain), /^Plain: nobody provides it/],
    'app.address(undefined)': [() => app.address(none), /^undefined does not listen/],
    'app.dialer(undefined)': [() => app.dialer(none), /^undefined has no dialer/],
    "app.close({ timeout: 'nope' })": [() => app.close({ timeout: bad }), /^close\(\{ timeout \}\): "nope" is not a duration/],
    "reactor.every('nope')": [() => app.reactor.every(bad, nothing), /^"nope" is not a duration: write/],
    "reactor.every('1s', undefined)": [() => app.reactor.every('1s', none), /^a timer runs a function/],
    'reactor.after(undefined)': [() => app.reactor.after(none, nothing), /^undefined is not a duration/],
    'reactor.broadcast(Plain)': [() => app.reactor.broadcast(Plain, 'x'), /^broadcast\(\) goes to connections, and Plain is no/],
    'reactor.broadcast(undefined)': [() => app.reactor.broadcast(none, 'x'), /^broadcast\(\) was given undefined/],
    'reactor.listen(undefined)': [() => app.reactor.listen(none, 'tcp://127.0.0.1:0'), /^undefined: it is not a connection.*circle/],
    'reactor.connect(undefined)': [() => app.reactor.connect(none, 'tcp://127.0.0.1:1'), /^undefined: it is not a connection.*circle/],
    'reactor.connect(Plain)': [() => app.reactor.connect(Plain, 'tcp://127.0.0.1:1'), /^Plain: it is not a connection/],
    'reactor.connect(Handler, undefined)': [() => app.reactor.connect(Handler, none), /^Handler\.connect: an endpoint has no url/],
    'reactor.dial(undefined)': [() => app.reactor.dial(none, 'tcp://127.0.0.1:1'), /^undefined: it is not a connection/],
    "workers.on('nope')": [() => app.workers.on(bad, nothing), /^workers tell no 'nope': write 'start', /],
    'workers.start(undefined)': [() => app.workers.start(none), /^undefined is no worker of this application/],
    'workers.get(Plain)': [() => app.workers.get(Plain), /^Plain is no worker of this application/],
    'workers.restart(undefined)': [() => app.workers.restart(none), /^undefined is no worker of this application/],
    'workers.stop(undefined)': [() => app.workers.stop(none), /^stop\(\) takes the handle/],
    'createTestApp().override(undefined)': [() => createTestApp(AppModule).override(none), /^override\(\): undefined is no token/],
  };

  for (const [name, [call, message]] of Object.entries(calls)) {
    it(`is told with a code: ${name}`, async () => {
      const error = await Promise.resolve()
        .then(call)
        .catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(PacketError);
      expect((error as PacketError).code).to.match(/^ERR_PACKET_(USAGE|CONFIGURATION)$/);
      expect((error as PacketError).message).to.match(message);
    });
  }
});
