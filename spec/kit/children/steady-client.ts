import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * A client in a thread of its own: it goes on sending while the event loop of the server's thread stands still.
 * It sends `first` when it is connected and `then` every `every` ms, and tells the parent what it hears.
 */
const { port, first, then, every } = workerData as { port: number; first: string; then: string; every: number };
const socket = connect(port, '127.0.0.1');
let timer: NodeJS.Timeout | undefined;
socket.on('connect', () => {
  socket.write(first);
  timer = setInterval(() => socket.write(then), every);
});
socket.on('data', (chunk: Buffer) => parentPort!.postMessage({ data: chunk.toString() }));
socket.on('error', () => {});
socket.on('close', () => {
  clearInterval(timer);
  parentPort!.postMessage({ closed: true });
});
parentPort!.on('message', () => {
  socket.destroy();
  parentPort!.close();
});
