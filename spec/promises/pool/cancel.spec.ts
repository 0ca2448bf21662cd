import { cancelCases } from './cases/cancel.js';

cancelCases('inline');
