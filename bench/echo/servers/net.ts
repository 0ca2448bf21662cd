/**
 * The floor: a line echo as one writes it by hand over bare `net`, correct and no more: split characters and split lines are
 * put together, all answers of one chunk leave in one write. No limits, no order of slow handlers, no back-pressure.
 */
import { createServer, type AddressInfo } from 'node:net';

const server = createServer({ noDelay: true }, socket => {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on('data', (chunk: string) => {
    const text = rest + chunk;
    let answers = '';
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      const line = text.slice(from, text[at - 1] === '\r' ? at - 1 : at);
      answers += `+${line}\r\n`;
      from = at + 1;
    }
    rest = text.slice(from);
    if (answers !== '') socket.write(answers);
  });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
