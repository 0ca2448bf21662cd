import { runAround } from '../around/chain.js';
import { aroundsOf } from '../blueprint/arounds.js';
import type { RouteBlueprint } from '../blueprint/connection/route-types.js';
import type { ConnectionBlueprint } from '../blueprint/types.js';
import type { UseFunction } from '../decorators/connection/use-types.js';
import type { RouteAbout } from '../decorators/connection/route-types.js';
import { asError, BoundaryError, UsageError } from '../errors.js';
import { isResponse, notResponse } from '../is-response.js';
import type { Methods } from '../session/handler/message-router.js';
import type { RouteMatch } from '../web/routes/router.js';
import type { Answer } from './outgoing.js';
import { runGuards } from './guards.js';
import { misfit, PlainAnswer } from './plain-answer.js';
import { inputOf, type RouteRequest, type RouteSource } from './routes/input.js';
import { answerOf } from './routes/returned.js';

/** A request with the handler that was made for it. Whatever of it answers at once costs no promise. */
export interface AskedRequest extends RouteSource {
  readonly methods: Methods;
  readonly about: RouteAbout;
  readonly blueprint: ConnectionBlueprint;
  readonly signal: AbortSignal;
  /** The answer of `@OnError` to an error of the method with that decorator. Rejects with the error when that is no Response. */
  explain(error: Error, hook: string): Promise<Response>;
  /** A route has been found for it. */
  onRouted(route: RouteBlueprint): void;
  /** The client is told what of its request does not fit. */
  misfits(error: BoundaryError): void;
}

type Eventually<T> = T | Promise<T>;

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function noResponse({ blueprint }: AskedRequest, answer: unknown): UsageError {
  return new UsageError(`@OnRequest of ${blueprint.name} ${notResponse(answer)}`);
}

/** Calls one method, inside the functions that stand around it. */
function call(asked: AskedRequest, key: PropertyKey, input: unknown, route?: RouteBlueprint): unknown {
  const { methods, about, blueprint } = asked;
  if (route) asked.onRouted(route);
  const { cls, methods: own } = blueprint.arounds;
  if (cls.length === 0 && own.size === 0) return methods[key]!(input, about);
  const fns = aroundsOf(blueprint.arounds, 'request', key);
  if (fns.length === 0) return methods[key]!(input, about);
  const { name: handler } = blueprint;
  const method = String(key);
  const { id, remote } = about;
  const names = { kind: 'request', name: `${handler}.${method}`, handler, method, route: route?.path } as const;
  const what = { request: asked.request(), instance: methods, connection: { id, remote }, signal: asked.signal, ...names };
  return runAround(fns, what, () => methods[key]!(input, about));
}

/** Runs what answers a request behind its guards. */
function guarded(fns: readonly UseFunction[] | undefined, asked: AskedRequest, run: () => Eventually<Answer>): Eventually<Answer> {
  return fns === undefined || fns.length === 0 ? run() : runGuards(fns, asked, run);
}

/** Asks `@OnRequest`, behind the guards of the class. */
export function askFallback(asked: AskedRequest): Eventually<Answer> {
  return guarded(asked.blueprint.guards.cls, asked, () => fallback(asked));
}

/** Asks the methods with `@OnRequest` in order, each behind its guards, until one answers. */
function fallback(asked: AskedRequest, from = 0, isGuarded = false): Eventually<Answer> {
  const { hooks, guards } = asked.blueprint;
  const { request: keys } = hooks;
  try {
    for (let at = from; at < keys.length; at++) {
      const before = guards.methods.get(keys[at]!);
      if (before && !(isGuarded && at === from)) return runGuards(before, asked, () => fallback(asked, at, true));
      const answer = call(asked, keys[at]!, asked.request());
      if (isPromise(answer)) return fallbackLater(asked, answer, at);
      if (isResponse(answer)) return answer;
      if (answer !== undefined) throw noResponse(asked, answer);
    }
    throw noResponse(asked, undefined);
  } catch (thrown) {
    return asked.explain(asError(thrown), 'OnRequest');
  }
}

async function fallbackLater(asked: AskedRequest, pending: PromiseLike<unknown>, at: number): Promise<Answer> {
  let answer: unknown;
  try {
    answer = await pending;
    if (answer !== undefined && !isResponse(answer)) throw noResponse(asked, answer);
  } catch (thrown) {
    return asked.explain(asError(thrown), 'OnRequest');
  }
  return answer === undefined ? fallback(asked, at + 1) : answer;
}

/** Asks the method of a route, behind the guards of the class and its own. */
export function askRoute(asked: AskedRequest, match: RouteMatch): Eventually<Answer> {
  const { cls, methods } = asked.blueprint.guards;
  const own = methods.get(match.route.key);
  if (cls.length === 0 && !own) return routeAnswer(asked, match);
  asked.onRouted(match.route);
  return runGuards([...cls, ...(own ?? [])], asked, () => routeAnswer(asked, match));
}

function routeAnswer(asked: AskedRequest, match: RouteMatch): Eventually<Answer> {
  try {
    const input = inputOf(match, asked);
    if (input instanceof PlainAnswer) return input;
    if (isPromise(input)) return routeLater(asked, match, input);
    const returned = call(asked, match.route.key, input, match.route);
    if (isPromise(returned)) return answerLater(asked, match, returned);
    const answer = answerOf(returned, match.route, asked);
    return isPromise(answer) ? answerLater(asked, match, answer) : answer;
  } catch (thrown) {
    return routeFailed(asked, match, thrown);
  }
}

/** The body had to be waited for. */
async function routeLater(asked: AskedRequest, match: RouteMatch, pending: PromiseLike<RouteRequest>): Promise<Answer> {
  try {
    return await answerOf(await call(asked, match.route.key, await pending, match.route), match.route, asked);
  } catch (thrown) {
    return routeFailed(asked, match, thrown);
  }
}

/** The method has to be waited for, or the first item of what it returned. */
async function answerLater(asked: AskedRequest, match: RouteMatch, pending: PromiseLike<unknown>): Promise<Answer> {
  try {
    const returned = await pending;
    return returned instanceof PlainAnswer ? returned : await answerOf(returned, match.route, asked);
  } catch (thrown) {
    return routeFailed(asked, match, thrown);
  }
}

async function routeFailed(asked: AskedRequest, { route }: RouteMatch, thrown: unknown): Promise<Answer> {
  const error = asError(thrown);
  try {
    return await asked.explain(error, route.as);
  } catch (unexplained) {
    if (unexplained !== error || !(error instanceof BoundaryError) || error.statusCode !== 400) throw unexplained;
    asked.misfits(error);
    return misfit(error);
  }
}
