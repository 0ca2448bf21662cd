import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { dialAddresses } from '../../../src/endpoints/net/dial-addresses.js';
import { atEnd, soon, spawnProgram } from '../../kit/index.js';
import { freePort } from '../../kit/programs/nats-server.js';

/** Connections that the system keeps for the server besides the first. */
const QUEUE = 1;
/** Listens, and says the port. */
const SERVER = `
  import { createServer } from 'node:net';
  const server = createServer().listen({ host: '127.0.0.2', port: 0, backlog: ${QUEUE} }, () => console.log(server.address().port));
`;

describe('a name whose first address answers late, and whose second refuses', function () {
  // Only there are all of 127.0.0.0/8 addresses of the machine, and a full queue drops what comes.
  if (process.platform !== 'linux') return;

  it('is connected to once the first answers, though Node itself gives an address 250 ms', async () => {
    const server = spawnProgram(process.execPath, ['--input-type=module', '-e', SERVER]);
    const port = Number(await server.line());
    // It accepts nothing more: its queue fills up, and the system drops the first packet of whatever comes then.
    server.kill('SIGSTOP');
    const crowd: Socket[] = [];
    atEnd(() => {
      for (const socket of crowd) socket.destroy();
    });
    for (let i = 0; i < QUEUE + 1; i++) {
      const socket = connect(port, '127.0.0.2').on('error', () => {});
      crowd.push(socket);
      await once(socket, 'connect');
    }

    const errors: string[] = [];
    const refusing = await freePort();
    const addresses = ['127.0.0.2', '127.0.0.1'].map(address => ({ address, family: 4 }));
    const dial = ({ address }: LookupAddress): Socket => {
      const socket = connect(address === '127.0.0.2' ? port : refusing, address);
      crowd.push(socket);
      return socket.on('error', ({ message }) => {
        errors.push(message);
        // The first address is all that is left, and answers from now on.
        server.kill('SIGCONT');
      });
    };
    const taken = new Promise<Socket>((resolve, reject) => {
      dialAddresses(addresses, dial, { onConnected: resolve, onFailed: all => reject(new AggregateError(all)) });
    });
    expect((await soon(taken)).remoteAddress).to.equal('127.0.0.2');
    expect(errors).to.have.length(1);
  });
});
