import { Socket } from 'node:net';
import { Kind, openLink } from '../../src/wire/index.js';

const link = openLink(
  new Socket({ fd: 3, readable: true, writable: true }),
  {
    onMessage: (kind, id, arg) => link.send(kind === Kind.PING ? Kind.PONG : Kind.REPLY, id, arg),
    onClosed: () => process.exit(),
  },
  { maxMessageSize: 0, trusted: true },
);
