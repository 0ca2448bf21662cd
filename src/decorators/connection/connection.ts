import type { Ctor } from '../ctor.js';
import type { ConnectionOptions } from './endpoint-types.js';
import { onClass } from '../metadata.js';
import type { PeerFits } from './peer-types.js';

/**
 * Makes a class the handler of connections: one instance for each, made by the container.
 * A subclass inherits constructor parameters, handlers and options, and may override each option.
 * @example
 * @Connection({ listen: 'tcp://127.0.0.1:7000', framing: lines() })
 * class Echo { @OnData() echo(line: string) { return line; } }
 */
// oxlint-disable-next-line typescript/no-explicit-any -- where no framing is written, a subclass or the caller of `connect()` says it: its messages are not known here
export function Connection<In = Buffer, Out = any>(
  options: ConnectionOptions<In, Out> = {},
): <C extends Ctor>(target: C & PeerFits<C, Out>) => void {
  return onClass(() => ({ kind: 'connection', options }));
}
