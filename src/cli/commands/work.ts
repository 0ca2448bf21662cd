import type { Command, CommandArguments } from '../command.js';
import { optionText } from '../command.js';
import { UsageError } from '../../errors.js';
import { exitCodeOf, startChild } from '../start-child.js';
import type { WorkPlan } from '../child/plan.js';
import { thisNode, userModule } from '../user-module.js';

function required(given: CommandArguments, name: string, example: string): string {
  const value = optionText(given, name);
  if (value === undefined) throw new UsageError(`--${name} is missing: --${name} ${example}`);
  return value;
}

function workPlan(given: CommandArguments): WorkPlan {
  const mesh = required(given, 'mesh', 'nats://127.0.0.1:4222');
  if (!/^(?:nats|tls):\/\//i.test(mesh)) throw new UsageError(`--mesh takes the url of a NATS server, nats://host:port, not ${mesh}`);
  return {
    mesh,
    workers: required(given, 'worker', 'NAME').split(','),
    name: optionText(given, 'name'),
    zone: optionText(given, 'zone'),
    namespace: optionText(given, 'namespace'),
    credentials: optionText(given, 'credentials'),
    nkey: optionText(given, 'nkey'),
    user: optionText(given, 'user'),
    tls: given.options['tls'] === true,
  };
}

export const work: Command = {
  name: 'work',
  usage: 'MODULE --worker NAME --mesh URL',
  summary: 'offers workers of a module to applications on other machines',
  details: `Starts the named workers of MODULE and offers them over NATS to applications whose bootstrap() has the same mesh and places them
'remote' or 'spill'. Nothing of the module listens here. MODULE exports a class decorated with @Module, or calls bootstrap() itself.
SIGINT and SIGTERM drain: calls under way finish, new ones go elsewhere. docs/mesh.md.`,
  options: {
    worker: { type: 'string', value: 'NAME', multiple: true, help: 'a worker to offer; several: --worker a --worker b, or a,b' },
    mesh: { type: 'string', value: 'URL', help: 'nats://host:port of a server, or of several with commas' },
    name: { type: 'string', value: 'NAME', help: "of this host in status() and errors; the machine's unless it is given" },
    zone: { type: 'string', value: 'NAME', help: 'callers of the same zone come here first' },
    namespace: { type: 'string', value: 'NAME', help: "of the mesh, 'packet' unless it is given" },
    credentials: { type: 'string', value: 'FILE', help: 'a .creds file for the server' },
    nkey: { type: 'string', value: 'FILE', help: 'a file with the seed of an nkey' },
    user: { type: 'string', value: 'NAME', help: 'which permissions of the server this client goes by (name of nats())' },
    tls: { type: 'boolean', help: "TLS to the server, verified with Node's authorities" },
    export: { type: 'string', value: 'NAME', help: 'the exported class to take, where there are several' },
  },
  positionals: [1, 1],
  async run(given) {
    const module = userModule(given.positionals[0]!, thisNode());
    const child = startChild(module, { mode: 'work', export: optionText(given, 'export'), work: workPlan(given) }, given.rest);
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    try {
      return await exitCodeOf(child);
    } finally {
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
    }
  },
};
