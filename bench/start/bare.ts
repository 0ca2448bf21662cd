/** Prints how many milliseconds it takes from `fork()` until the child says that it has loaded what it is named after. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { ended } from '../kit/exit.js';

const begin = performance.now();
const child = fork(new URL(`./${process.argv[2] ?? 'nothing'}.js`, import.meta.url));
await once(child, 'message');
console.log(performance.now() - begin);
await ended(child);
