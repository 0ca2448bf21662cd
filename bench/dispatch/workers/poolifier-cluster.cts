/** A CommonJS module, because it must have been loaded when the pool's first message comes: in an ES module that one is lost. */
import poolifier = require('poolifier');
import type { Order, Receipt } from '../work.js' with { 'resolution-mode': 'import' };
import workModule = require('../work.js');

export = new poolifier.ClusterWorker<Order, Receipt>(order => workModule.work(order as Order));
