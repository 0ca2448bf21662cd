import type { Call } from '../call/call.js';

/** More calls than this are not looked at: so many that wait for each other time out in the end. */
const MOST = 10_000;

/** The calls that a call waits for: all of `every`, or any one of `any`. Neither: it goes on by itself. */
type Needs = { readonly every: readonly Call[] } | { readonly any: readonly Call[] } | undefined;

function needsOf(call: Call): Needs {
  if (call.isSettled) return undefined;
  if (call.began >= 0) return call.waitsFor?.size ? { every: [...call.waitsFor] } : undefined;
  const ahead = call.holder?.callsAhead();
  return ahead && { any: [...ahead] };
}

/**
 * Whether a call that waits for a slot waits for itself in the end: a running call goes on when all calls that it has made do, a waiting
 * one when any of those that hold the slots does. What cannot be shown to go on is a deadlock.
 * @returns the running calls of one circle, in the order in which they wait for each other; undefined where there is none
 */
export function findCallCycle(call: Call): readonly Call[] | undefined {
  const needs = new Map<Call, Needs>();
  const found = [call];
  for (const each of found) {
    if (needs.has(each)) continue;
    const need = needsOf(each);
    needs.set(each, need);
    if (need) found.push(...('every' in need ? need.every : need.any));
    if (found.length > MOST) return undefined;
  }
  const live = new Set<Call>();
  const goesOn = (need: Needs): boolean =>
    !need || ('every' in need ? need.every.every(each => live.has(each)) : need.any.some(each => live.has(each)));
  for (let before = -1; before < live.size;) {
    before = live.size;
    for (const [each, need] of needs) if (!live.has(each) && goesOn(need)) live.add(each);
  }
  return live.has(call) ? undefined : circle(call, needs, live);
}

/** Follows those that do not go on until one comes again. */
function circle(from: Call, needs: ReadonlyMap<Call, Needs>, live: ReadonlySet<Call>): readonly Call[] {
  const path: Call[] = [];
  for (let at: Call | undefined = from; at && !path.includes(at);) {
    path.push(at);
    const need = needs.get(at);
    const ahead: readonly Call[] = need ? ('every' in need ? need.every : need.any) : [];
    at = ahead.find(each => !live.has(each));
  }
  return path.filter(each => each.began >= 0);
}
