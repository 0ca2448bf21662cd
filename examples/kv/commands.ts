import type { Reply } from './resp.js';
import type { Store } from './store.js';

type Run = (store: Store, ...args: Buffer[]) => Reply;

const INTEGER = /^-?\d{1,15}$/;

function integer(text: Buffer | undefined): number {
  const number = Number(text);
  if (!INTEGER.test(String(text))) throw new Error('value is not an integer or out of range');
  return number;
}

function increase(store: Store, key: Buffer, by: number): number {
  const sum = integer(store.get(key) ?? Buffer.from('0')) + by;
  const left = store.left(key);
  store.set(key, Buffer.from(String(sum)), left === undefined ? Infinity : Date.now() + left);
  return sum;
}

/** `SET key value [EX seconds | PX milliseconds] [NX | XX]` */
function set(store: Store, key: Buffer, value: Buffer, ...options: Buffer[]): Reply {
  let until = Infinity;
  for (let at = 0; at < options.length; at++) {
    const option = String(options[at]).toUpperCase();
    if (option === 'EX' || option === 'PX') until = Date.now() + integer(options[++at]) * (option === 'EX' ? 1000 : 1);
    else if (option === 'NX' || option === 'XX') {
      if ((store.left(key) === undefined) !== (option === 'NX')) return null;
    } else throw new Error('syntax error');
  }
  store.set(key, value, until);
  return 'OK';
}

function ttl(store: Store, key: Buffer): number {
  const left = store.left(key);
  if (left === undefined) return -2;
  return left === Infinity ? -1 : Math.ceil(left / 1000);
}

const count = (keys: readonly Buffer[], test: (key: Buffer) => boolean): number => keys.filter(test).length;

/** The commands by name, with how many arguments they take at least and at most. */
export const COMMANDS: ReadonlyMap<string, { readonly least: number; readonly most: number; readonly run: Run }> = new Map(
  (
    [
      ['PING', 0, 1, (_, text) => text ?? 'PONG'],
      ['ECHO', 1, 1, (_, text) => text],
      ['GET', 1, 1, (store, key) => store.get(key)],
      ['SET', 2, Infinity, (store, key, value, ...options) => set(store, key, value, ...options)],
      ['MGET', 1, Infinity, (store, ...keys) => keys.map(key => store.get(key))],
      ['DEL', 1, Infinity, (store, ...keys) => count(keys, key => store.delete(key))],
      ['EXISTS', 1, Infinity, (store, ...keys) => count(keys, key => store.left(key) !== undefined)],
      ['INCR', 1, 1, (store, key) => increase(store, key, 1)],
      ['INCRBY', 2, 2, (store, key, by) => increase(store, key, integer(by))],
      ['EXPIRE', 2, 2, (store, key, seconds) => Number(store.expire(key, Date.now() + integer(seconds) * 1000))],
      ['TTL', 1, 1, (store, key) => ttl(store, key)],
      ['DBSIZE', 0, 0, store => store.size],
      ['FLUSHALL', 0, 1, store => (store.clear(), 'OK')],
      ['SELECT', 1, 1, () => 'OK'],
      // What the clients ask before they begin.
      ['COMMAND', 0, Infinity, () => []],
      ['CONFIG', 2, 2, (_, __, name) => [name, Buffer.from('')]],
    ] satisfies [name: string, least: number, most: number, run: Run][]
  ).map(([name, least, most, run]) => [name, { least, most, run }]),
);
