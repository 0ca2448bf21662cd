import { Socket } from 'node:net';
import { Kind, openLink } from '../../../src/wire/index.js';
import { work, type Order } from '../work.js';

/** The bare link: no pool, no validation, no mark, no cancellation. */
const link = openLink(
  new Socket({ fd: 3, readable: true, writable: true }),
  {
    onMessage: (_kind, id, _arg, body) => link.sendValue(Kind.REPLY, id, 0, work(body.value() as Order)),
    onClosed: () => process.exit(),
  },
  { maxMessageSize: 16 * 1024 * 1024 },
);
