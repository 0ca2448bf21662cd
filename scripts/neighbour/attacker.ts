/** Carries out one attack of `scripts/neighbour.ts`: argv is its name, the ports and for how long, in milliseconds. */
import { ATTACKS, type Ports } from './attacks.js';

const [name = '', ports = '{}', duration = '0'] = process.argv.slice(2);
const end = performance.now() + Number(duration);
await ATTACKS[name]!(JSON.parse(ports) as Ports, () => performance.now() > end);
process.exit();
