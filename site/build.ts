/**
 * Makes the documentation's site in dist/docs: a page for each guide, and the reference of everything that the package exports, made from its
 * doc comments by TypeDoc. Fails where an export has no doc comment, and where a link goes nowhere.
 * @example npm run docs
 */
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Converter, type CommentDisplayPart, type DocumentReflection } from 'typedoc';
import { brokenLinks } from './check-links.js';
import { CONTENTS, DECISIONS } from './contents.js';
import { SourcePages } from './source-pages.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const OUT = join(ROOT, 'dist/docs');
const ENTRY_POINTS = ['', 'framing/', 'http/', 'websocket/', 'testing/', 'metrics/', 'otel/', 'nats/'];
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

const written = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.md'));
const placed = Object.values(CONTENTS).flatMap(group => Object.keys(group));
const pages = [
  ...placed,
  ...written.map(name => `docs/${name}`).filter(path => path.startsWith('docs/decisions/') && !placed.includes(path)),
];
const forgotten = written.filter(name => !pages.includes(`docs/${name}`));
if (forgotten.length > 0) throw new Error(`site/contents.ts has no place for ${forgotten.join(', ')}`);

const app = await Application.bootstrapWithPlugins({
  name: 'packet-ts',
  tsconfig: join(ROOT, 'site/reference.json'),
  basePath: ROOT,
  entryPoints: ENTRY_POINTS.map(folder => `${ROOT}dist/src/${folder}index.d.ts`),
  readme: join(ROOT, 'README.md'),
  projectDocuments: pages.map(page => join(ROOT, page)),
  out: OUT,
  customJs: join(ROOT, 'site/diagrams.js'),
  customCss: join(ROOT, 'site/site.css'),
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  hideGenerator: true,
  sort: ['source-order'],
  sortEntryPoints: false,
  groupOrder: [...Object.keys(CONTENTS), 'Modules', '*', DECISIONS],
  navigation: { includeGroups: true, includeCategories: false, includeFolders: false },
  highlightLanguages: ['ts', 'js', 'json', 'sh', 'ini', 'nginx', 'docker', 'yaml', 'html'],
  ignoredHighlightLanguages: ['mermaid', 'haproxy', 'conf', 'text'],
  requiredToBeDocumented: ['Enum', 'Variable', 'Function', 'Class', 'Interface', 'TypeAlias', 'Accessor', 'Method'],
  // Types that exported types are made of, which no program names, have no page.
  validation: { notExported: false, invalidLink: true, invalidPath: false, notDocumented: true, rewrittenLink: true },
});
app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document: DocumentReflection) => {
  const path = relative(ROOT, document.project.files.getReflectionPath(document) ?? '');
  const group = Object.keys(CONTENTS).find(name => path in CONTENTS[name]!) ?? DECISIONS;
  document.name = CONTENTS[group]?.[path] ?? /^# (.*)$/m.exec(document.content.map(({ text }) => text).join(''))?.[1] ?? document.name;
  document.frontmatter = { ...document.frontmatter, group };
});
const project = await app.convert();
if (project === undefined) throw new Error('TypeDoc could not read the package: the compiler’s errors are above');
app.validate(project);

const sources = new SourcePages(ROOT, OUT);
/** Links to files that are no page of the site lead to a page that shows the file. */
function showSources(parts: CommentDisplayPart[], up: string): void {
  for (const [index, part] of parts.entries()) {
    const absolute = part.kind === 'relative-link' && part.target !== undefined ? project!.files.resolvePath(part.target) : undefined;
    if (absolute === undefined || /\.(?:md|png)$/.test(absolute)) continue;
    parts[index] = { kind: 'text', text: up + sources.add(relative(ROOT, absolute)) };
  }
}
// The page has its name already.
const [start] = project.readme ?? [];
if (start) start.text = start.text.replace(/^# packet-ts\n/, '');
for (const document of project.documents ?? []) showSources(document.content, '../');
showSources(project.readme ?? [], '');

rmSync(OUT, { recursive: true, force: true });
await app.generateOutputs(project);
sources.write();
cpSync(fileURLToPath(import.meta.resolve('@mermaid-js/tiny')), join(OUT, 'assets/mermaid.js'));

const broken = brokenLinks(OUT);
for (const { page, link, why } of broken) say(`${page}: ${link}: ${why}`);
if (broken.length > 0 || app.logger.hasErrors() || app.logger.hasWarnings()) process.exitCode = 1;
else say(`docs: dist/docs/index.html, ${pages.length} pages; every export has a doc comment, every link leads somewhere`);
