import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** What the client is asked to do: on so many connections, one request behind the other for so long. */
export interface ClientAsked {
  readonly port: number;
  readonly request: string;
  readonly connections: number;
  readonly ms: number;
}

/** Requests that were answered, and the milliseconds that it took. */
export interface ClientAnswered {
  readonly done: number;
  readonly ms: number;
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

/** Bytes of one answer, which is the same each time: as many as have come when nothing more does. */
async function lengthOf(socket: Socket, request: string): Promise<number> {
  let bytes = 0;
  const count = (chunk: Buffer): void => void (bytes += chunk.length);
  socket.on('data', count);
  socket.write(request);
  for (let before = -1; bytes === 0 || bytes !== before;) {
    before = bytes;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  socket.off('data', count);
  return bytes;
}

async function drive({ port, request, connections, ms }: ClientAsked): Promise<ClientAnswered> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => opened(port)));
  const length = await lengthOf(sockets[0]!, request);
  const begun = performance.now();
  let done = 0;
  await Promise.all(
    sockets.map(
      socket =>
        new Promise<void>((resolve, reject) => {
          let left = length;
          socket.on('close', () => reject(new Error('the connection was closed')));
          socket.on('data', (chunk: Buffer) => {
            left -= chunk.length;
            if (left > 0) return;
            if (left < 0) return reject(new Error('an answer is longer than the first one was'));
            done++;
            left = length;
            if (performance.now() - begun < ms) socket.write(request);
            else resolve();
          });
          socket.write(request);
        }),
    ),
  );
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
  return { done, ms: performance.now() - begun };
}

process.on('message', (asked: ClientAsked) => {
  void drive(asked).then(
    answered => process.send!(answered),
    (error: Error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
