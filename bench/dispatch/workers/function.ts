/** For pools that call a module's default export: Piscina and Tinypool. */
export { work as default } from '../work.js';
