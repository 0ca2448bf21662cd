import { ThreadWorker } from 'poolifier';
import { work, type Order, type Receipt } from '../work.js';

export default new ThreadWorker<Order, Receipt>(order => work(order as Order));
