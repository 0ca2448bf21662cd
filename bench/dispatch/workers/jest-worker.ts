/** For pools that call a module's named export. */
export { work } from '../work.js';
