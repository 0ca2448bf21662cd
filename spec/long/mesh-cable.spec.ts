import { needsProgram } from '../kit/index.js';
import { cableCuts } from '../mesh/support/cable-cuts.js';

describe('a cable that is cut for long', function () {
  this.timeout(180_000);
  if (needsProgram('nats-server')) cableCuts(30);
});
