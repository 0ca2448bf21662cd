import { Connection } from '../decorators/connection/connection.js';
import type { Ctor } from '../decorators/ctor.js';
import { OnRequest } from '../http/index.js';
import type { RequestAbout } from '../http/exchange.js';
import type { Profiles } from './profiles.js';
import type { StaticFiles } from './static-files.js';
import type { Visitors } from './visitors.js';

/** Visitors at once; a page asks for a handful of files. */
const MOST = 64;

/** The connection class that serves the files of the page, and the profiles that an operator has asked for. */
export function filesOf(files: StaticFiles, visitors: Visitors, profiles: Profiles): Ctor {
  @Connection({ maxConnections: MOST })
  class AdminFiles {
    @OnRequest() async answer(request: Request, about: RequestAbout): Promise<Response> {
      const role = await visitors.roleOf(request, about);
      if (typeof role === 'object') return role;
      return (role === 'operate' ? profiles.answer(request) : undefined) ?? files.answer(request);
    }
  }
  return AdminFiles;
}
