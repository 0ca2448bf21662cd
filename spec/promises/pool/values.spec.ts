import { valueCases } from './cases/values.js';

valueCases('inline');
