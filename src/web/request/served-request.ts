import { IncomingMessage } from 'node:http';

const ASKED = Symbol('upgrade asked for');

/**
 * A request as Node's server makes it. Node takes each one that asks for an upgrade out of HTTP where there is a listener for upgrades; here only
 * one for a websocket is: a client that would rather speak something else, h2c for instance, is answered in HTTP, its body included.
 */
export class ServedRequest extends IncomingMessage {
  // Set by Node's parser, before the headers are there, and read once they are; the constructor of its class sets it, too.
  declare [ASKED]?: boolean | null;

  get upgrade(): boolean {
    if (this[ASKED] !== true) return false;
    return this.method === 'CONNECT' || this.headers.upgrade?.toLowerCase() === 'websocket';
  }

  set upgrade(asked: boolean | null) {
    this[ASKED] = asked;
  }
}
