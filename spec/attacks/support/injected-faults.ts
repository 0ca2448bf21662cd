import { EventEmitter } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { faults } from '../../../src/guard.js';
import { atEnd } from '../../kit/index.js';

/** Which event each guarded listener was given for. */
const EVENTS = new WeakMap<object, string>();
type Adds = Pick<EventEmitter, 'on' | 'once'>;

/** Notes what every listener listens to, until the end of the suite. */
export function noteEvents(): () => void {
  const { port1, port2 } = new MessageChannel();
  for (const port of [port1, port2]) port.close();
  const ends = [EventEmitter.prototype, portPrototype(port1)].map(prototype => {
    const { on, once } = prototype;
    const noting = (add: Adds['on']): Adds['on'] =>
      function (this: EventEmitter, event, listener) {
        EVENTS.set(listener, String(event));
        return add.call(this, event, listener);
      };
    Object.assign(prototype, { on: noting(on), once: noting(once) });
    return () => void Object.assign(prototype, { on, once });
  });
  return () => {
    for (const end of ends) end();
  };
}

/** Where a MessagePort has its `on` from: no EventEmitter. */
function portPrototype(port: object): Adds {
  let prototype = Object.getPrototypeOf(port) as object;
  while (!Object.hasOwn(prototype, 'once')) prototype = Object.getPrototypeOf(prototype) as object;
  return prototype as Adds;
}

/**
 * Lives once as it is, and then once for each event that its listeners heard, with the first of them thrown into.
 * @param afterEach looks whether everything else is as it was
 * @returns the events
 */
export async function throwIntoEach(
  name: string,
  live: () => Promise<void>,
  afterEach: (what: string) => Promise<void>,
): Promise<Set<string>> {
  atEnd(() => (faults.inject = undefined));
  const events = new Set<string>();

  faults.inject = listener => void events.add(EVENTS.get(listener) ?? 'a callback');
  await live();
  for (const event of events) {
    let thrown = false;
    faults.inject = listener => {
      if (thrown || (EVENTS.get(listener) ?? 'a callback') !== event) return;
      thrown = true;
      throw new Error(`injected into '${event}' of ${name}`);
    };
    await live().catch((error: unknown) => {
      throw new Error(`'${event}' of ${name}`, { cause: error });
    });
    faults.inject = undefined;
    await afterEach(`${event} of ${name}`);
  }
  return events;
}
