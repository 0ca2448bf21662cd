import { expect } from 'chai';
import { listenersOf } from '../../../scripts/structure/listeners.js';
import { readSources } from '../../../scripts/structure/read-sources.js';
import { Authority } from '../../kit/programs/certificates.js';
import { tcpClient, waitFor } from '../../kit/index.js';
import { noteEvents, throwIntoEach } from '../support/injected-faults.js';
import { lives, open } from '../support/lives.js';

describe('a listener of a Node object that throws', function () {
  this.timeout(120_000);
  this.slow(30_000);

  let restore: () => void;
  before(() => void (restore = noteEvents()));
  after(() => restore());

  /** Events that connections of endpoints are told, by the source: of files that are about them. */
  const inSource = new Set(
    [...readSources()]
      .filter(([file]) => /^src\/(?:endpoints|http|multi-core|session|web|websocket)\//.test(file) && !/stdio/.test(file))
      .flatMap(([, text]) => listenersOf(text).map(({ event }) => event)),
  );

  it('hurts its own connection alone, whichever it is, for every event that is listened to', async () => {
    using authority = new Authority();
    const identity = authority.issue('127.0.0.1');
    const house = await open(authority.folder, identity);
    const all = lives(house, authority.cert);
    const neighbour = await tcpClient(house.app.address(house.classes.Tcp).port);
    const seen = new Set<string>();
    for (const [name, live] of Object.entries(all)) {
      const events = await throwIntoEach(name, live, async what => {
        await neighbour.send(`after ${what}\n`);
        expect(await neighbour.line(), what).to.equal(`after ${what}`);
      });
      for (const event of events) seen.add(event);
    }
    // Of the neighbour, the udp socket and the framework.
    await waitFor(() => house.app.reactor.connections().count <= 3, { what: () => `${house.app.reactor.connections().count} connections` });
    // Of the server, before there is any connection, and of what nothing here makes happen.
    const others = new Set(['listening']);
    expect([...inSource].filter(event => !seen.has(event) && !others.has(event))).to.deep.equal([]);
  });
});
