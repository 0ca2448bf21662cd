import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A link of a page that leads nowhere. */
export interface BrokenLink {
  readonly page: string;
  readonly link: string;
  readonly why: string;
}

/** Reads every page of a site, and finds links of its own that lead to no file, or to a place that its page does not have. */
export function brokenLinks(folder: string): BrokenLink[] {
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.html'));
  const places = new Map<string, ReadonlySet<string>>();
  const placesOf = (path: string): ReadonlySet<string> => {
    let found = places.get(path);
    if (found === undefined) places.set(path, (found = new Set([...markup(path).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => text(id!)))));
    return found;
  };
  return pages.flatMap(page => {
    const path = join(folder, page);
    const links = new Set([...markup(path).matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, link]) => text(link!)));
    return [...links].flatMap(link => {
      const why = fault(link, path, folder, placesOf);
      return why === undefined ? [] : [{ page, link, why }];
    });
  });
}

function fault(link: string, path: string, folder: string, placesOf: (path: string) => ReadonlySet<string>): string | undefined {
  if (/^(?:https?|mailto):/.test(link)) return undefined;
  if (/^[a-z]+:/.test(link)) return 'a scheme that a site cannot have';
  const [file, place] = link.split('#') as [string, string | undefined];
  const target = file === '' ? path : join(dirname(path), decodeURIComponent(file));
  if (relative(folder, target).startsWith('..')) return 'leads out of the site';
  if (!existsSync(target)) return 'there is no such file';
  if (statSync(target).isDirectory() && !existsSync(join(target, 'index.html'))) return 'there is no page for this folder';
  if (place === undefined || place === '' || !target.endsWith('.html')) return undefined;
  return placesOf(target).has(decodeURIComponent(place)) ? undefined : 'the page has no such place';
}

/** A page without its scripts, whose texts may look like links. */
function markup(path: string): string {
  return readFileSync(path, 'utf8').replaceAll(/<script\b[^]*?<\/script>/g, '');
}

function text(attribute: string): string {
  return attribute.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
