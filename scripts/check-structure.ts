/**
 * Prints every place where the source breaks the rules of the house, and its figures; exits with 1 if there is such a place.
 * @example node dist/scripts/check-structure.js
 */
import { readPages, readSources } from './structure/read-sources.js';
import { checkStructure, describeOffence } from './structure/check.js';
import { describeFigures, figuresOf } from './structure/figures.js';

const sources = new Map([...readSources(), ...readPages()]);
const offences = checkStructure(sources);
for (const offence of offences) console.error(describeOffence(offence));
console.log(describeFigures(figuresOf(sources), offences));
if (offences.length > 0) {
  console.error(`\n${offences.length} broken rule${offences.length === 1 ? '' : 's'}; what they are for: CONTRIBUTING.md`);
  process.exitCode = 1;
} else console.log(`structure: ${sources.size} files keep the rules`);
