import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** Pages that show a file of the project, or list a folder, so that links from the guides to specs, examples and sources lead somewhere. */
export class SourcePages {
  readonly #paths = new Set<string>();

  constructor(
    private readonly root: string,
    private readonly out: string,
  ) {}

  /** Adds a file or folder, by its path in the project; returns the path of its page in the site. */
  add(path: string): string {
    this.#paths.add(path);
    return pageOf(path);
  }

  /** Writes the pages, and those of what their folders list. */
  write(): void {
    // Grows while it is walked: a folder adds what is in it.
    for (const path of this.#paths) {
      const isFolder = statSync(join(this.root, path)).isDirectory();
      const page = join(this.out, pageOf(path));
      mkdirSync(dirname(page), { recursive: true });
      writeFileSync(page, this.#page(path, isFolder ? this.#list(path) : this.#lines(path)));
    }
  }

  #lines(path: string): string {
    return `<pre><code>${escape(readFileSync(join(this.root, path), 'utf8'))}</code></pre>`;
  }

  #list(path: string): string {
    const names = readdirSync(join(this.root, path)).filter(name => name !== 'node_modules' && name !== 'dist');
    const items = names.map(name => {
      const link = posix.relative(posix.dirname(pageOf(path)), this.add(posix.join(path, name)));
      return `<li><a href="${escape(link)}">${escape(name)}</a></li>`;
    });
    return `<ul>${items.join('\n')}</ul>`;
  }

  #page(path: string, body: string): string {
    const up = posix.relative(posix.dirname(pageOf(path)), '.');
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(path)} | packet-ts</title>
<link rel="stylesheet" href="${up}/assets/style.css"><link rel="stylesheet" href="${up}/assets/custom.css">
</head>
<body class="source-page">
<script>document.documentElement.dataset.theme = localStorage.getItem('tsd-theme') || 'os'</script>
<main class="container tsd-typography"><p><a href="${up}/index.html">packet-ts</a></p><h1>${escape(path)}</h1>${body}</main>
</body>
</html>
`;
  }
}

function pageOf(path: string): string {
  return posix.join('sources', `${path.replace(/\/$/, '')}.html`);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
