/**
 * Prints every place where the source breaks the rules of the house, and exits with 1 if there is one.
 * @example node dist/scripts/check-structure.js
 */
import { readSources } from './structure/read-sources.js';
import { checkStructure, describeOffence } from './structure/check.js';

const sources = readSources();
const offences = checkStructure(sources);
for (const offence of offences) console.error(describeOffence(offence));
if (offences.length > 0) {
  console.error(`\n${offences.length} broken rule${offences.length === 1 ? '' : 's'}; what they are for: CONTRIBUTING.md`);
  process.exitCode = 1;
} else console.log(`structure: ${sources.size} files keep the rules`);
