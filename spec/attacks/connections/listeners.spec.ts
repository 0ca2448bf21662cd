import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { listenersOf } from '../../../scripts/structure/listeners.js';
import { readSources } from '../../../scripts/structure/read-sources.js';
import { faults } from '../../../src/guard.js';
import { Authority } from '../../kit/programs/certificates.js';
import { atEnd, tcpClient, waitFor } from '../../kit/index.js';
import { lives, open } from '../support/lives.js';

/** Which event each guarded listener was given for. */
const EVENTS = new WeakMap<object, string>();

/** Notes what every listener listens to, until the end of the suite. */
function noteEvents(): () => void {
  const { on, once } = EventEmitter.prototype;
  const noting = (add: typeof on): typeof on =>
    function (this: EventEmitter, event, listener) {
      EVENTS.set(listener, String(event));
      return add.call(this, event, listener);
    };
  Object.assign(EventEmitter.prototype, { on: noting(on), once: noting(once) });
  return () => void Object.assign(EventEmitter.prototype, { on, once });
}

describe('a listener of a Node object that throws', function () {
  this.timeout(120_000);
  this.slow(30_000);

  let restore: () => void;
  before(() => void (restore = noteEvents()));
  after(() => restore());

  /** Events that connections of endpoints are told, by the source: of files that are about them. */
  const inSource = new Set(
    [...readSources()]
      .filter(([file]) => /^src\/(?:endpoints|http|websocket)\//.test(file) && !/stdio/.test(file))
      .flatMap(([, text]) => listenersOf(text).map(({ event }) => event)),
  );

  it('hurts its own connection alone, whichever it is, for every event that is listened to', async () => {
    using authority = new Authority();
    const identity = authority.issue('127.0.0.1');
    const house = await open(authority.folder, identity);
    const all = lives(house, authority.cert);
    const neighbour = await tcpClient(house.app.address(house.classes.Tcp).port);
    atEnd(() => (faults.inject = undefined));
    const seen = new Set<string>();
    for (const [name, live] of Object.entries(all)) {
      const calls: string[] = [];
      faults.inject = listener => void calls.push(EVENTS.get(listener) ?? 'a callback');
      await live();
      for (const event of calls) seen.add(event);
      for (const event of new Set(calls)) {
        let thrown = false;
        faults.inject = listener => {
          if (thrown || (EVENTS.get(listener) ?? 'a callback') !== event) return;
          thrown = true;
          throw new Error(`injected into '${event}' of ${name}`);
        };
        await live().catch((error: unknown) => {
          throw new Error(`'${event}' of ${name}`, { cause: error });
        });
        faults.inject = undefined;
        await neighbour.send(`after ${event}\n`);
        expect(await neighbour.line(), `${event} of ${name}`).to.equal(`after ${event}`);
      }
    }
    await waitFor(() => house.app.reactor.connections().count <= 2, { what: () => `${house.app.reactor.connections().count} connections` });
    // Of the server, before there is any connection, and of what nothing here makes happen.
    const others = new Set(['listening']);
    expect([...inSource].filter(event => !seen.has(event) && !others.has(event))).to.deep.equal([]);
  });
});
