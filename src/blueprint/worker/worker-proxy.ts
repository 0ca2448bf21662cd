/** A static property of `WorkerProxy`: by it the blueprint knows a proxy class, of whichever copy of the package. */
export const WORKER_PROXY: unique symbol = Symbol.for('packet-ts.worker-proxy');
