import { Socket } from 'node:net';
import { Messages, numbered } from './socketpair.js';
import { objectOf, type Row } from './values.js';

const messages = new Messages(new Socket({ fd: 3, readable: true, writable: true }), (kind, body) => {
  if (kind === 0) messages.send(0, numbered(body.length));
  else if (kind === 1) messages.send(1, Buffer.allocUnsafe(body.readUInt32LE(0)));
  else if (kind === 2) messages.send(2, numbered((JSON.parse(body.toString()) as Row[]).length));
  else messages.send(3, Buffer.from(JSON.stringify(objectOf(body.readUInt32LE(0)))));
});
process.on('disconnect', () => process.exit());
