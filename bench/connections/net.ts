/** The floor: what `net` itself needs for a connection that answers what it is sent. */
import { createServer, type AddressInfo } from 'node:net';
import { reportSelf } from './self-report.js';

let open = 0;
const server = createServer({ noDelay: true }, socket => {
  open++;
  socket.on('error', () => {});
  socket.on('close', () => open--);
  socket.on('data', chunk => socket.write(chunk));
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => reportSelf((server.address() as AddressInfo).port, () => open));
