import type { Server } from 'node:net';
import { socketKeeper, tcpUrl, type KeptSocket } from '../endpoints/passing/kept-sockets.js';
import { acceptFrom } from '../node-internals.js';
import { failing, guard, NO_VICTIM } from '../guard.js';

/** Lets a Node server listen at an address. Resolves with the socket where another process keeps it. Rejects with what the system says. */
export async function listenAt(server: Server, address: string, port: number, backlog: number): Promise<KeptSocket | undefined> {
  const kept = await socketKeeper()?.keep(tcpUrl(address, port), {});
  await new Promise<void>((resolve, reject) => {
    const failed = guard(NO_VICTIM, reject);
    const victim = failing(error => {
      server.close();
      reject(error);
    });
    server.once('error', failed);
    server.once(
      'listening',
      guard(victim, () => {
        server.off('error', failed);
        resolve();
      }),
    );
    if (kept) acceptFrom(server, kept.handle, backlog);
    else server.listen({ host: address, port, backlog });
  });
  return kept;
}
