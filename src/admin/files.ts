import { Connection } from '../decorators/connection/connection.js';
import type { Ctor } from '../decorators/ctor.js';
import { OnRequest } from '../http/index.js';
import type { RequestAbout } from '../http/exchange.js';
import type { StaticFiles } from './static-files.js';
import type { Visitors } from './visitors.js';

/** Visitors at once; a page asks for a handful of files. */
const MOST = 64;

/** The connection class that serves the files of the page. */
export function filesOf(files: StaticFiles, visitors: Visitors): Ctor {
  @Connection({ maxConnections: MOST })
  class AdminFiles {
    @OnRequest() async answer(request: Request, about: RequestAbout): Promise<Response> {
      const role = await visitors.roleOf(request, about);
      return typeof role === 'object' ? role : files.answer(request);
    }
  }
  return AdminFiles;
}
