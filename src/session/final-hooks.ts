import type { AsyncContext } from '../async-context.js';
import type { CloseReason } from '../decorators/hook-types.js';
import { observed, publish } from '../diagnostics.js';
import { asError } from '../errors.js';
import type { Owner } from '../workers/call/owner.js';
import type { Methods } from './handler/message-router.js';
import type { Built } from './handler/handler-types.js';
import type { Settings } from './settings.js';

/** Whose connection is over. */
export interface ClosedConnection {
  readonly id: string;
  readonly settings: Settings;
  readonly built: Built;
  readonly owner: Owner | undefined;
  readonly context: AsyncContext;
}

/** Runs `@OnClose`, ends the owner, disposes what was made for the connection. Never rejects: what fails is logged. */
export async function runFinalHooks({ id, settings, built, owner, context }: ClosedConnection, reason: CloseReason): Promise<void> {
  const { app, name: handler, blueprint } = settings.plan;
  const failed = (hook: string, thrown: unknown): void =>
    publish('hook.error', { app, handler, connection: id, hook, error: asError(thrown) });
  if (owner) owner.isAllowedWhileClosing = true;
  for (const key of blueprint.hooks.close) {
    try {
      await context.runInAsyncScope((built.instance as Methods)[key]!, built.instance, reason);
    } catch (thrown) {
      failed('OnClose', thrown);
    }
  }
  owner?.close();
  try {
    await context.runInAsyncScope(() => built.dispose?.());
  } catch (thrown) {
    failed('dispose', thrown);
  }
  if (observed('connection.close')) publish('connection.close', { app, handler, connection: id, ...reason });
}
