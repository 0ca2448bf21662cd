import process from 'node:process';
import { LINK_FD } from '../../hosts/child-contract.js';
import { sendFailure } from '../../wire/link/failure.js';
import { openLink } from '../../wire/link/link.js';
import { LinkSocket } from './link-socket.js';

const nothing = (): void => {};

/** Ends a process that was started as a worker and cannot become one: why is the last thing that its master hears. */
export function refuseToStart(why: Error): never {
  const receiver = { onMessage: nothing, onClosed: nothing };
  const link = openLink(new LinkSocket(LINK_FD), receiver, { maxMessageSize: 0, trusted: true });
  sendFailure(link, 0, why, true);
  link.writeOut(LINK_FD);
  process.exit(1);
}
