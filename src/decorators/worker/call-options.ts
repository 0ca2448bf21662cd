import { UsageError } from '../../errors.js';
import { checkCarrier } from '../carrier.js';
import { messageOf } from '../../errors/packet-error.js';
import {
  anything,
  callable,
  checkGiven,
  duration,
  isObject,
  knownNames,
  show,
  signal,
  text,
  type Rule,
  type Rules,
} from '../../option-rules.js';

/** Facts of a task that a call's options are checked against. */
export interface CalledTask {
  /** `'worker.task'` */
  readonly name: string;
  readonly events: Iterable<string>;
  /** The caller streams something in. */
  readonly receives: boolean;
}

const items: Rule = {
  expects: 'an (async) iterable of items',
  fits: value => (isObject(value) ? hasIterator(value) : Array.isArray(value)),
};

function hasIterator(value: object): boolean {
  const { [Symbol.asyncIterator]: async, [Symbol.iterator]: sync } = value as {
    [Symbol.asyncIterator]?: unknown;
    [Symbol.iterator]?: unknown;
  };
  return typeof async === 'function' || typeof sync === 'function';
}

const RULES: Rules = {
  signal,
  timeout: duration,
  key: text,
  affinity: text,
  caller: text,
  tag: anything,
  carrier: anything,
  on: anything,
  send: anything,
};

/**
 * The mistake in the options of a call; undefined: there is none. A call without options is not looked at.
 * Tasks are typed, but JavaScript, `any` and spread objects pass everything.
 */
export function wrongCallOptions(task: CalledTask, options: unknown): UsageError | undefined {
  const where = `${task.name}()`;
  try {
    checkGiven(where, options, RULES);
    const { on, send, carrier } = options as { on?: unknown; send?: unknown; carrier?: unknown };
    if (carrier !== undefined) checkCarrier(where, carrier);
    if (on !== undefined) checkListeners(where, [...task.events], on);
    if (send !== undefined) checkItems(where, task.receives, send);
    return undefined;
  } catch (error) {
    if (error instanceof UsageError) return error;
    // A getter or a proxy of the caller's: its call fails, and rejects like any other.
    return new UsageError(`${where}: its options cannot be read: ${messageOf(error)}`);
  }
}

function checkListeners(where: string, events: readonly string[], on: unknown): void {
  if (events.length === 0) throw new UsageError(`${where} has no events: leave out \`on\`, or declare them with @Task({ events })`);
  if (!isObject(on)) throw new UsageError(`${where}: on is ${show(on)}: expected an object with a function for each event`);
  for (const [event, listener] of Object.entries(on)) {
    if (!events.includes(event))
      throw new UsageError(`${where} has no event '${event}': ${knownNames(event, events).replace('options', 'events')}`);
    if (listener !== undefined && !callable.fits(listener))
      throw new UsageError(`${where}: on.${event} is ${show(listener)}: expected a function`);
  }
}

function checkItems(where: string, receives: boolean, send: unknown): void {
  if (!receives) throw new UsageError(`${where} receives nothing: leave out \`send\`, or declare it with @Task({ receives })`);
  if (items.fits(send)) return;
  const remedy =
    typeof send === 'string'
      ? 'a string would be sent letter by letter: put it into a list'
      : typeof send === 'function'
        ? 'call it: what it returns is sent'
        : `expected ${items.expects}`;
  throw new UsageError(`${where}: send is ${show(send)}: ${remedy}`);
}

/** A mailbox has neither events nor a stream. */
export function mailOf(worker: string, name: 'ask' | 'tell'): CalledTask {
  return { name: `${worker}.${name}`, events: [], receives: false };
}
