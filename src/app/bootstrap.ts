import { inspect } from 'node:util';
import { handlerName } from '../async-context.js';
import { nameOf } from '../blueprint/index.js';
import type { Ctor } from '../blueprint/types.js';
import { publish } from '../diagnostics.js';
import { asError, UsageError } from '../errors.js';
import { errorForLog } from '../errors/error-for-log.js';
import { object, show } from '../option-rules.js';
import { loggerOf, type Logger } from '../logger.js';
import { standardError } from '../logging/standard-error.js';
import { connectionId } from '../session/connection-id.js';
import { adminSide } from './admin-side.js';
import type { App } from './app.js';
import type { Assembly } from './assembly.js';
import { bootstrapHook } from './start/bootstrap-hook.js';
import type { BootstrapOptions } from './start/bootstrap-types.js';
import { LogLimiter } from './report/log-limiter.js';
import { masterSide } from './master-side.js';
import { handleSignals, handleStrays } from './signals.js';
import { readApplication } from './read-application.js';
import { systemdNotifier, type SystemdNotifier } from './systemd-notify.js';
import { neverInWorker } from './worker-process.js';

/**
 * Starts an application: checks everything that the module declares, starts its workers, waits until they are ready, then listens.
 * In a worker's process, whose module may be the whole application's, it never settles.
 * @throws ConfigurationError with every mistake at once; WorkerUnavailableError or ListenError for what cannot be started. Nothing is left running then.
 * @example
 * const app = await bootstrap(AppModule, { closeTimeout: '30s' });
 */
export async function bootstrap(module: Ctor, options: BootstrapOptions = {}): Promise<App> {
  const inWorker = neverInWorker();
  if (inWorker) return inWorker;
  if (!object.fits(options)) throw new UsageError(`bootstrap(): its options are ${show(options)}: expected an object`);
  const hook = bootstrapHook();
  if (!hook) return (await start(module, options)).app;
  const instead = hook.begin(module, options);
  if (instead) return instead;
  try {
    const assembly = await start(module, { ...hook.defaults, ...options });
    hook.onStarted({ app: assembly.app, inspection: assembly.inspection, handOver: () => handOver(assembly) });
    return assembly.app;
  } catch (error) {
    hook.onFailed(asError(error));
    throw error;
  }
}

/** Applications that another process has taken over from. */
const replaced = new WeakSet<App>();

async function handOver(assembly: Assembly): Promise<boolean> {
  replaced.add(assembly.app);
  await assembly.inspection.handOver();
  assembly.hurry();
  return (await assembly.app.close()).graceful;
}

async function start(module: Ctor, options: BootstrapOptions): Promise<Assembly> {
  const { name = nameOf(module), logger, closeTimeout, shutdownDelay, maxBufferedBytesTotal } = options;
  const { signals = true, uncaught, mesh, placement, zone, admin = false } = options;
  const { reading, flaws } = await readApplication(module, options);
  const page = admin && flaws.length === 0 ? (await adminSide()).adminPage(admin === true ? {} : admin) : undefined;
  const own = await loggerOf(logger);
  const log = page ? page.tap(own) : own;
  const { Assembly } = await masterSide();
  const fit = flaws.length === 0 && { maxBufferedBytesTotal, shutdownDelay, mesh, placement, zone };
  const assembly = Assembly.of(reading, { name, logger: log, closeTimeout, ...fit });
  const remove = signals ? watchProcess(assembly, logger || log, uncaught) : () => {};
  assembly.closed.then(remove, remove);
  if (page) void assembly.closed.then(() => page.close());
  closeWhenIdle(assembly);
  const systemd = notifySystemd(assembly);
  try {
    await assembly.start();
    if (page) assembly.admin = await page.open(assembly.inspection, assembly.side.core);
    systemd?.ready(() => assembly.health().live);
  } catch (error) {
    await assembly.app.close();
    throw error;
  }
  return assembly;
}

/** Applications of this process that end it; it exits when the last of them has closed, with 1 if one of them says so. */
const ending = new Set<App>();
let exitCode = 0;
/** Resolves when a service manager has been told everything. */
let told: Promise<unknown> = Promise.resolve();

function endProcess(app: App, code: number): void {
  exitCode = Math.max(exitCode, code);
  if (ending.has(app)) return;
  ending.add(app);
  void app.close().then(({ graceful }) => {
    ending.delete(app);
    if (!graceful) exitCode = 1;
    void told.then(() => ending.size > 0 || process.exit(exitCode));
  });
}

/** Where the process is a service of systemd's that says how it is. */
function notifySystemd({ name, app, closing, closed }: Assembly): SystemdNotifier | undefined {
  const notifier = systemdNotifier((message, error) => publish('app.warning', { app: name, message, error }));
  // Where another process has taken over, the service goes on.
  void closing.then(() => replaced.has(app) || notifier?.stopping());
  if (notifier) told = Promise.all([told, closed.then(() => notifier.end())]);
  return notifier;
}

/** Nothing can happen any more: no listener, no connection, no timer. A filter between pipes ends so, with its `@OnStop` like any other application. */
function closeWhenIdle({ app, closed, hurry }: Assembly): void {
  const close = (): void => {
    hurry();
    void app.close();
  };
  process.once('beforeExit', close);
  void closed.then(() => process.off('beforeExit', close));
}

/** Calls the logger; its own error must not become an uncaught exception: that goes to stderr, and if this fails nowhere. */
function tell(say: () => unknown, otherwise?: unknown): void {
  const failed = (error: unknown): void => standardError().write(`${inspect(errorForLog(asError(otherwise ?? error)))}\n`);
  try {
    const outcome = say();
    if (outcome instanceof Promise) outcome.catch(failed);
  } catch (error) {
    failed(error);
  }
}

/**
 * Handles events of the whole process: signals close the application, uncaught exceptions are logged, and close it where that is asked
 * for.
 */
function watchProcess(assembly: Assembly, log: Logger, uncaught: BootstrapOptions['uncaught']): () => void {
  const { app } = assembly;
  // Within a quota: the logger itself may be what they come from.
  const limiter = new LogLimiter();
  const stray = (thrown: unknown, what: string, ends: boolean): void => {
    const error = errorForLog(asError(thrown));
    const level = ends ? 'fatal' : 'error';
    const untold = limiter.take(`${what} ${error.name}`, count => tell(() => log[level]({ untold: count }, what)));
    const name = handlerName();
    const of = name && { handler: name.handler, connection: connectionId(name.serial) };
    if (untold !== undefined) tell(() => log[level]({ ...of, err: error, ...(untold > 0 && { untold }) }, what), thrown);
    if (!ends) return;
    assembly.hurry();
    endProcess(app, 1);
  };
  // An error of stderr (a full disk, a reader that left) is no mistake of the code that prints.
  const ignore = (): void => {};
  process.stderr.on('error', ignore);
  const removeSignals = handleSignals({
    first: signal => {
      tell(() => log.info({ signal }, 'closing'));
      endProcess(app, 0);
    },
    second: signal => {
      tell(() => log.warn({ signal }, 'closing at once'));
      void app.close();
      assembly.cutOff();
    },
  });
  const removeStrays = handleStrays({
    exception: error => stray(error, 'an exception that nothing caught', uncaught !== 'log'),
    rejection: reason => stray(reason, 'a promise was rejected, and no code handles it', uncaught === 'close'),
  });
  return () => {
    removeSignals();
    removeStrays();
    limiter.close();
    process.stderr.off('error', ignore);
  };
}
