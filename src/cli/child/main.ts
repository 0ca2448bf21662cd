import { checkModule } from './check-module.js';
import type { ChildPlan } from './plan.js';
import { runModule } from './run-module.js';
import { workModule } from './work-module.js';

const [, , json = '', ...rest] = process.argv;
const plan = JSON.parse(json) as ChildPlan;
// As if node had been given the user's module.
process.argv.splice(1, process.argv.length - 1, plan.file, ...rest);

if (plan.mode === 'check') await checkModule(plan);
else if (plan.mode === 'work') await workModule(plan);
else await runModule(plan);
