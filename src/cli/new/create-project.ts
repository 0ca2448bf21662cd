import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../../errors.js';
import { ownPackage } from '../../package-home.js';
import { suggestionFor } from '../suggest.js';
import { packageFile } from './package-file.js';
import { TEMPLATES, type Template } from './templates.js';

/** As npm wants names of packages, without a scope. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/;
/** Files that npm would not put into a package, or would take for its own. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore', dockerignore: '.dockerignore' };

/** The wanted project. */
export interface NewProject {
  /** The folder, which is made; its last part is the project's name. */
  readonly path: string;
  readonly template: string;
  /** The version of packet-ts that npm is to install: a version, a tag, a file, an address. Undefined: this very version. */
  readonly spec: string | undefined;
}

function templateOf(name: string): Template {
  if (Object.hasOwn(TEMPLATES, name)) return TEMPLATES[name]!;
  const names = Object.keys(TEMPLATES);
  const meant = suggestionFor(name, names);
  throw new UsageError(
    `there is no template '${name}'${meant === undefined ? `: there are ${names.join(', ')}` : `; did you mean '${meant}'?`}`,
  );
}

/** A file or folder is found from the project, wherever the command was called. */
function dependencyOf(spec: string | undefined, folder: string): string | undefined {
  const path = spec?.replace(/^file:/, '');
  return path !== undefined && existsSync(path) ? `file:${relative(folder, resolve(path))}` : spec;
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => statSync(join(folder, name)).isFile());
}

/**
 * Writes the files of a new project. Returns their paths within it.
 * @throws UsageError for a name that npm would not take, a template that there is not, a folder in which something is already.
 */
export function createProject({ path, template: templateName, spec }: NewProject): readonly string[] {
  const folder = resolve(path);
  const name = basename(folder);
  if (!NAME.test(name)) throw new UsageError(`'${name}' is no name for a package: lower-case letters, digits, '-', '_' and '.'`);
  const template = templateOf(templateName);
  if (existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0))
    throw new UsageError(`${path} is there already, and not empty`);
  const fill: Readonly<Record<string, string>> = {
    '@NAME@': name,
    '@PORT@': String(template.port),
    '@URL@': template.url,
    '@ABOUT@': `${template.summary[0]!.toUpperCase()}${template.summary.slice(1)}.`,
    '@TRY@': template.try,
  };
  const written: string[] = [];
  const write = (file: string, text: string): void => {
    const target = join(folder, dirname(file), RENAMED[basename(file)] ?? basename(file));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    written.push(relative(folder, target));
  };
  for (const part of ['common', templateName]) {
    const from = fileURLToPath(new URL(`templates/${part}/`, ownPackage()));
    for (const file of filesOf(from)) {
      const text = readFileSync(join(from, file), 'utf8');
      // Sources are taken as they are.
      write(file, part === 'common' ? text.replaceAll(/@[A-Z]+@/g, word => fill[word] ?? word) : text);
    }
  }
  write('package.json', packageFile(name, template, dependencyOf(spec, folder)));
  return written.sort();
}
