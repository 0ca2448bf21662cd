import type { Command } from './command.js';
import { check } from './commands/check.js';
import { dev } from './commands/dev.js';
import { newProject } from './commands/new.js';
import { reload } from './commands/reload.js';
import { run } from './commands/run.js';
import { top } from './commands/top.js';
import { work } from './commands/work.js';

/** All commands, in the order in which the help text lists them. */
export const COMMANDS: readonly Command[] = [newProject, run, dev, reload, top, check, work];
