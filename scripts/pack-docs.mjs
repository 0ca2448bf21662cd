/**
 * Makes the links of the packed Markdown work where it is read: README.md on the page of the package's registry, which knows no files, the
 * others in the package. `npm pack` and `npm publish` run it (prepack) and put the files back (postpack).
 *
 * The README's links are relative in this repository. Where package.json has a `repository`, registries resolve them there, and they stay.
 * Without one they become their words and the path of the packed file. Links to files that the package does not carry become their words.
 * @example node scripts/pack-docs.mjs write · node scripts/pack-docs.mjs restore
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const originals = join(root, 'dist/packed-originals');
const LINK = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)]*)?\)/g;
/** Always in a package, whatever `files` says. */
const ALWAYS = ['README.md', 'LICENSE', 'package.json'];

/** Whether the package has a file or folder: `path` is relative to its root. */
export function isCarried({ files }, path) {
  const under = entry => path === entry || path.startsWith(`${entry}/`);
  if (ALWAYS.includes(path)) return true;
  return (
    files.some(entry => !entry.startsWith('!') && under(entry)) && !files.some(entry => entry.startsWith('!') && under(entry.slice(1)))
  );
}

/** The Markdown of a file as the package has it. */
export function packedText(manifest, file, text) {
  const { repository } = manifest;
  return text.replaceAll(LINK, (link, image, words, to) => {
    const path = posix.normalize(posix.join(posix.dirname(file), to)).replace(/\/$/, '');
    // Code may look like a link.
    if (!existsSync(join(root, path)) || (file === 'README.md' && repository !== undefined)) return link;
    if (!isCarried(manifest, path)) return words;
    if (file !== 'README.md') return link;
    return image || words.replaceAll('`', '') === path ? `\`${path}\`` : `${words} (\`${path}\`)`;
  });
}

/** Every Markdown file that the package carries, relative to its root. */
export function carriedMarkdown(manifest) {
  const below = folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.md'))
      .map(name => posix.join(folder, name));
  const named = manifest.files.filter(entry => !entry.startsWith('!') && existsSync(join(root, entry)));
  const folders = named.filter(entry => statSync(join(root, entry)).isDirectory());
  const all = ['README.md', ...named.filter(entry => entry.endsWith('.md')), ...folders.flatMap(below)];
  return all.filter(file => isCarried(manifest, file));
}

function write() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const file of carriedMarkdown(manifest)) {
    const text = readFileSync(join(root, file), 'utf8');
    const packed = packedText(manifest, file, text);
    if (packed === text) continue;
    mkdirSync(dirname(join(originals, file)), { recursive: true });
    writeFileSync(join(originals, file), text);
    writeFileSync(join(root, file), packed);
  }
}

function restore() {
  if (!existsSync(originals)) return;
  cpSync(originals, root, { recursive: true });
  rmSync(originals, { recursive: true });
}

if (process.argv[2] === 'write') write();
if (process.argv[2] === 'restore') restore();
