import type { AdminOptions, AdminPage } from '../app/admin/admin-types.js';
import type { Inspection } from '../app/report/inspection-types.js';
import { isLoopback } from '../endpoints/address.js';
import type { BoundAddress } from '../endpoints/endpoint.js';
import { ConfigurationError, ListenError } from '../errors.js';
import type { Logger } from '../logger.js';
import { Reactor, type ReactorCore } from '../reactor/index.js';
import { feedOf } from './feed.js';
import { filesOf } from './files.js';
import { Hub } from './hub.js';
import { Profiles } from './profiles.js';
import { History } from './state/history.js';
import { Latencies } from './state/latencies.js';
import { LogTail } from './state/log-tail.js';
import { Recent } from './state/recent.js';
import { StaticFiles } from './static-files.js';
import { Visitors } from './visitors.js';
import { epochNow } from '../system-timers.js';

const DEFAULT = 'http://127.0.0.1:9400';
const ANY_PORT = 'http://127.0.0.1:0';

/** The endpoint, with its options (`tls:`, `hosts:` …). */
interface Place {
  readonly url: string;
  readonly options: Readonly<Record<string, unknown>>;
}

function placeOf({ listen }: AdminOptions): Place {
  if (listen === undefined) return { url: DEFAULT, options: {} };
  if (typeof listen === 'object') {
    const { url, ...options } = listen as { url: string };
    return { url, options };
  }
  return { url: listen, options: {} };
}

/** Refuses to show the application to other machines without `authorize`. */
function checkReach({ url }: Place, { authorize }: AdminOptions): void {
  const host = /^https?:\/\/(\[[^\]]*\]|[^:/]*)/i.exec(url)?.[1]?.replace(/^\[(.*)\]$/, '$1') ?? '';
  if (authorize || host === '' || host === 'localhost' || isLoopback(host)) return;
  const remedy = "write authorize: request => …, or listen on the loopback and reach it with 'ssh -L'";
  throw new ConfigurationError([
    { where: 'bootstrap()', member: 'admin', wrong: `${url} can be reached by others than this machine`, remedy },
  ]);
}

class Page implements AdminPage {
  readonly #options: AdminOptions;
  readonly #place: Place;
  readonly #log = new LogTail(epochNow);
  readonly #recent = new Recent(epochNow);
  #history: History | undefined;
  #hub: Hub | undefined;
  #profiles: Profiles | undefined;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#place = placeOf(options);
    checkReach(this.#place, options);
  }

  tap(logger: Logger): Logger {
    return this.#log.tap(logger);
  }

  async open(inspection: Inspection, core: ReactorCore): Promise<BoundAddress> {
    this.#recent.app = inspection.name;
    const history = (this.#history = new History(inspection, core.clock));
    const latencies = new Latencies(inspection.name, core.clock);
    const hub = (this.#hub = new Hub({ inspection, history, latencies, recent: this.#recent, log: this.#log }, core.clock));
    const reactor = new Reactor(core);
    const visitors = new Visitors(this.#options);
    const profiles = (this.#profiles = new Profiles(inspection, core.clock));
    const files = filesOf(new StaticFiles(), visitors, profiles);
    const feed = feedOf(hub, inspection, visitors, profiles);
    const listen = async ({ url, options }: Place): Promise<BoundAddress> => {
      const page = await reactor.listen(files, url as `http://${string}`, options);
      try {
        // Where the system chose the port, the websocket shares it.
        await reactor.listen(feed, `${url.replace(/^http/i, 'ws').replace(/\/$/, '')}/feed` as `ws://${string}`, options);
      } catch (error) {
        await page.close();
        throw error;
      }
      return page.address;
    };
    try {
      return await listen(this.#place);
    } catch (error) {
      // Several applications of one machine have the page switched on.
      if (this.#options.listen !== undefined || !(error instanceof ListenError)) throw error;
      return listen({ url: ANY_PORT, options: {} });
    }
  }

  close(): void {
    this.#hub?.close();
    this.#profiles?.close();
    this.#history?.close();
    this.#recent.close();
  }
}

/** The page of an application, not yet listening. Throws ConfigurationError for options that cannot be used. */
export function adminPage(options: AdminOptions): AdminPage {
  return new Page(options);
}
