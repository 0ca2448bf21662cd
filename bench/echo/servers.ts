import { spawnSync } from 'node:child_process';
import { server, type ServerContender } from '../kit/server.js';

const node = (file: string): URL => new URL(`./servers/${file}.js`, import.meta.url);
/** Not compiled: it lies with the sources. */
const RUBY = new URL('../../../echo/servers/eventmachine.rb', import.meta.url);

export function packetEcho(execArgv: readonly string[] = []): ServerContender {
  return server('packet-ts', node('packet'), { execArgv });
}

/** The same echo by other means; EventMachine where there is a Ruby that has it (Debian: ruby-eventmachine). */
export function others(): ServerContender[] {
  const bare = server('bare net', node('net'));
  const hasRuby = spawnSync('ruby', ['-e', 'require "eventmachine"']).status === 0;
  return hasRuby ? [bare, server('eventmachine', RUBY, { program: 'ruby' })] : [bare];
}
