/**
 * Workers on many machines, over NATS. Needs `@nats-io/transport-node`.
 * @module packet-ts/nats
 */
export { nats, type NatsOptions, type NatsTls } from './nats.js';
