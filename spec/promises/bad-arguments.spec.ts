import { expect } from 'chai';
import { bootstrap, bytes, channel, Connection, exec, InjectWorker, Module, PacketError, spawn, Worker, type App } from 'packet-ts';
import { delimited, lengthPrefixed, lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';

class Plain {}

@Connection()
class Handler {}

@Worker('never_started', { autoLoad: false, timeout: '1s' })
class NeverStarted {}

@Module({ workers: [NeverStarted] })
class AppModule {}

const nothing = (): void => {};
/** What the types forbid: JavaScript, a cast, and a circle of imports give it all the same. */
const none = undefined as never;
const bad = 'nope' as never;
const typo = { typo: 1 } as never;
const controller = { signal: new AbortController() } as never;

describe('a public call with bad arguments', () => {
  let app: App;

  before(async () => {
    app = await bootstrap(AppModule, { logger: false, signals: false });
  });

  after(() => app.close());

  const calls: Record<string, [call: () => unknown, message: RegExp]> = {
    'app.get(undefined)': [() => app.get(none), /^undefined is no token/],
    'app.get(Plain)': [() => app.get(Plain), /^Plain: nothing provides it/],
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
    'bootstrap(AppModule, 5)': [() => bootstrap(AppModule, 5 as never), /^bootstrap\(\): its options are 5/],
    'bootstrap(AppModule, { typo })': [() => bootstrap(AppModule, typo), /^bootstrap\(\): there is no option 'typo'/],
    'app.close({ typo })': [() => app.close(typo), /^app\.close\(\) has no option 'typo': the options are timeout/],
    'app.close({ timeuot })': [() => app.close({ timeuot: 1 } as never), /has no option 'timeuot': write 'timeout'/],
    'reactor.listen(…, { typo })': [() => app.reactor.listen(Handler, 'memory:bad', typo), /there is no option 'typo'/],
    'reactor.connect(…, { typo })': [() => app.reactor.connect(Handler, 'memory:bad', typo), /there is no option 'typo'/],
    'reactor.connect(…, { signal: controller })': [
      () => app.reactor.connect(Handler, 'memory:bad', controller),
      /^reactor\.connect\(\): signal is an object of class AbortController: expected an AbortSignal/,
    ],
    'reactor.dial(…, { signal: controller })': [() => app.reactor.dial(Handler, 'memory:bad', controller), /^reactor\.dial\(\): signal is/],
    'reactor.dial(…, { reconnect: { typo } })': [
      () => app.reactor.dial(Handler, 'memory:bad', { reconnect: typo }),
      /^reactor\.dial\(\{ reconnect \}\) has no option 'typo'/,
    ],
    'reactor.broadcast(…, { typo })': [() => app.reactor.broadcast(Handler, 'x', typo), /^broadcast\(\) has no option 'typo'/],
    'workers.start(W, { typo })': [() => app.workers.start(NeverStarted, typo), /^workers\.start\(\) has no option 'typo'/],
    'workers.start(W, { key: 5 })': [
      () => app.workers.start(NeverStarted, { key: 5 } as never),
      /^workers\.start\(\): key is 5: expected a string/,
    ],
    'workers.stop(handle, { typo })': [() => app.workers.stop(none, typo), /^workers\.stop\(\) has no option 'typo'/],
    'spawn(undefined)': [() => spawn(none), /^spawn\(\) was given undefined .*circle/],
    "spawn('name')": [() => spawn('name' as never), /^spawn\(\) was given "name", and takes a class decorated with @Worker/],
    'spawn(new Worker())': [() => spawn(new NeverStarted() as never), /^spawn\(\) was given an object of class NeverStarted/],
    'spawn(W, 5)': [() => spawn(NeverStarted, 5 as never), /^spawn\(\): its options are 5/],
    'spawn(W, { typo })': [() => spawn(NeverStarted, typo), /there is no option 'typo'/],
    'spawn(W, { workers: [undefined] })': [() => spawn(NeverStarted, { workers: [none] }), /^spawn\(\): workers is .* circle/],
    'lines({ maxLenght })': [() => lines({ maxLenght: 5 } as never), /^lines\(\) has no option 'maxLenght': write 'maxLength'/],
    "lines({ multiline: 'yes' })": [() => lines({ multiline: 'yes' } as never), /^lines\(\): multiline is "yes"/],
    'lines(5)': [() => lines(5 as never), /^lines\(\): its options are 5/],
    "delimited('x', { typo })": [() => delimited('x', typo), /^delimited\(\) has no option 'typo'/],
    'lengthPrefixed({ typo })': [() => lengthPrefixed(typo), /^lengthPrefixed\(\) has no option 'typo'/],
    'channel(…, { typo })': [() => channel('typo', typo), /^channel\('typo'\) has no option 'typo'/],
    'bytes({ typo })': [() => bytes(typo), /^bytes\(\) has no option 'typo'/],
    'exec(…, { typo })': [() => exec('ls', [], typo), /^exec\(\) has no option 'typo'/],
    "exec('ls', '-l')": [() => exec('ls', '-l' as never), /^exec\(\) takes a command and a list/],
    '@InjectWorker(W, { typo })': [() => InjectWorker(NeverStarted, typo), /^@InjectWorker\(\) has no option 'typo'/],
    "@InjectWorker(W, { owner: 'me' })": [
      () => InjectWorker(NeverStarted, { owner: 'me' } as never),
      /^@InjectWorker\(\): owner is "me": expected 'app'/,
    ],
    'createTestApp().start({ typo })': [() => createTestApp(AppModule).start(typo), /^start\(\) has no option 'typo'/],
    "createTestApp().start({ clock: 'nope' })": [
      () => createTestApp(AppModule).start({ clock: bad }),
      /^start\(\): clock is "nope": expected 'real' or 'fake'/,
    ],
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
