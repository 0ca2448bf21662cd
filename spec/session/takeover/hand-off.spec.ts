import { expect } from 'chai';
import { Connection } from '../../../src/decorators/connection/connection.js';
import { OnData } from '../../../src/decorators/connection/connection-hooks.js';
import { lines } from '../../../src/framing/lines.js';
import { Peer } from '../../../src/reactor/index.js';
import type { HandOffStarter } from '../../../src/session/session-host.js';
import { rig, type Rig } from '../../kit/reactor.js';
import { soon, tcpClient } from '../../kit/index.js';

class Worker {}

/** Whoever is handed a connection closes it. */
const closing: HandOffStarter =
  () =>
  ({ handle }) =>
    Promise.resolve(handle.close());

describe('handOff()', () => {
  let kit: Rig;
  beforeEach(() => Object.assign((kit = rig()).core, { mover: closing }));
  afterEach(() => kit.close());

  it('loses nothing that send() took before the connection left, whenever that was', async () => {
    const taken: boolean[] = [];
    @Connection({ framing: lines() })
    class Moves {
      constructor(private readonly peer: Peer<string, string>) {}
      @OnData() async data(line: string) {
        const moved = this.peer.handOff(Worker);
        void this.speak(Number(line));
        await moved;
      }
      private async speak(steps: number) {
        for (let step = 0; step < steps; step++) await Promise.resolve();
        taken.push(this.peer.send(`after ${steps}`));
      }
    }
    const { address } = await kit.listen(Moves, 'tcp://127.0.0.1:0');
    for (let steps = 0; steps < 6; steps++) {
      const client = await tcpClient(address.port);
      await client.send(`${steps}\n`);
      const heard = await soon(client.all());
      expect(heard, `${steps} steps`).to.equal(taken[steps] ? `after ${steps}\n` : '');
    }
    expect(taken).to.include(true).and.to.include(false);
  });
});
