import { relative, resolve } from 'node:path';
import type { Command } from '../command.js';
import { optionText } from '../command.js';
import { createProject } from '../new/create-project.js';
import { TEMPLATES } from '../new/templates.js';

const list = Object.entries(TEMPLATES)
  .map(([name, { summary }]) => `  ${name.padEnd(5)} ${summary}`)
  .join('\n');

export const newProject: Command = {
  name: 'new',
  usage: 'NAME',
  summary: 'makes a project that runs: sources, a test, a Dockerfile, a systemd unit',
  details: `Makes the folder NAME with a project that "npm install" and "npm start" run. Templates:\n${list}`,
  options: {
    template: { type: 'string', short: 't', value: 'NAME', help: `${Object.keys(TEMPLATES).join(', ')}; eval unless it is given` },
    package: {
      type: 'string',
      value: 'SPEC',
      help: 'what is installed as packet-ts: a version, a file, an address; this version unless it is given',
    },
  },
  positionals: [1, 1],
  run(given) {
    const path = given.positionals[0]!;
    const files = createProject({ path, template: optionText(given, 'template') ?? 'eval', spec: optionText(given, 'package') });
    const folder = relative('', resolve(path)) || '.';
    process.stdout.write(`${files.map(file => `  ${folder}/${file}`).join('\n')}\n\nNow: cd ${folder} && npm install && npm start\n`);
    return Promise.resolve(0);
  },
};
