import { stat } from 'node:fs/promises';
import type { Mounted } from '../../decorators/injection/provider-types.js';
import { asError, ConfigurationError, UsageError } from '../../errors.js';
import { checkNeeded, isObject, show } from '../../option-rules.js';
import { sitePathOf } from '../../web/web-url.js';
import { mount, type MountOptions } from '../mount/mount.js';
import { checkLibrary, FILE_RULES, folderOf, redirected, sendFile, type FileOptions } from './send-file.js';

export { sendFile, type FileOptions } from './send-file.js';

/** The options of {@link files}: a folder, where it is served, and the limits of a connection. */
export type FilesOptions = MountOptions & FileOptions;

async function checkFolder(folder: string): Promise<void> {
  const seen = await stat(folder).catch(asError);
  if (!(seen instanceof Error) && seen.isDirectory()) return;
  const wrong = seen instanceof Error ? seen.message : `${folder} is no folder`;
  throw new ConfigurationError([{ where: 'files()', member: 'root', wrong, remedy: 'write a folder that can be read' }]);
}

type Listen = MountOptions['listen'];
type Written = Exclude<Listen, (...none: never[]) => unknown>;

/** The paths of its urls, the longest first; a url without one is ''. */
function basesOf(written: Written): readonly string[] {
  const urls = [written].flat().map(each => (typeof each === 'object' && 'url' in each ? each.url : each));
  const paths = urls.map(each => (typeof each === 'string' ? (sitePathOf(each) ?? '').replace(/\/$/, '') : ''));
  return paths.toSorted((a, b) => b.length - a.length);
}

/**
 * Serves the files of a folder below the path of its url, as {@link sendFile} does; other methods than GET and HEAD are 405. List it in the
 * `connections` of a module; it shares the port of other endpoints that write the same host and port.
 * @throws UsageError for options that are none; at bootstrap where the folder is none, and where `@fastify/send` is not installed.
 * @example
 * const assets = files({ listen: 'http://127.0.0.1:8080/assets', root: new URL('./public/', import.meta.url), maxAge: '1h' });
 * @Module({ connections: [Orders, assets] })
 * class AppModule {}
 */
export function files(options: FilesOptions): Mounted {
  if (!isObject(options)) throw new UsageError(`files() takes { listen, root }, and was given ${show(options)}`);
  const { root, index, extensions, dotfiles, maxAge, immutable, ...endpoint } = options;
  const how: FileOptions = { root, index, extensions, dotfiles, maxAge, immutable };
  checkNeeded('files()', how, FILE_RULES, 'root');
  let known: Written | undefined;
  const { listen } = endpoint;
  // A function is asked once.
  const endpoints = (): Written => (known ??= typeof listen === 'function' ? listen() : listen);
  return mount(
    async () => {
      const bases = basesOf(endpoints());
      await checkFolder(folderOf(how));
      await checkLibrary();
      return {
        fetch: (request: Request): Promise<Response> | Response => {
          if (request.method !== 'GET' && request.method !== 'HEAD')
            return new Response('only GET', { status: 405, headers: { allow: 'GET, HEAD' } });
          const { pathname } = new URL(request.url);
          const base = bases.find(each => pathname === each || pathname.startsWith(`${each}/`)) ?? '';
          // Relative links of the index are relative to the folder.
          if (base !== '' && pathname === base) return redirected(request);
          return sendFile(request, pathname.slice(base.length), how);
        },
      };
    },
    typeof listen === 'function' ? { ...endpoint, listen: endpoints } : endpoint,
  );
}
