import { AsyncLocalStorage } from 'node:async_hooks';
import type { Channel } from 'node:diagnostics_channel';
import { context, type Context } from '@opentelemetry/api';

/** A store that, bound to a channel, makes OpenTelemetry's own context the active one, too. */
class ActiveContext extends AsyncLocalStorage<Context> {
  override run<R, Args extends unknown[]>(active: Context, callback: (...args: Args) => R, ...args: Args): R {
    return super.run(active, () => context.with(active, callback, undefined, ...args));
  }
}

/** Runs what that channel's messages start in the context that `contextOf` makes for them; returns the end of that. */
export function bindContext<T extends object>(channel: Channel<unknown, T>, contextOf: (message: T) => Context): () => void {
  const store = new ActiveContext();
  channel.bindStore(store, contextOf);
  return () => void channel.unbindStore(store);
}
