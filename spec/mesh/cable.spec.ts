import { needsProgram } from '../kit/index.js';
import { cableCuts } from './support/cable-cuts.js';

describe('a cable that is cut', function () {
  this.timeout(90_000);
  if (needsProgram('nats-server')) cableCuts(1, 5);
});
