import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../src/endpoints/index.js';
import { streamConformance } from '../kit/conformance/endpoint-conformance.js';

describe('endpoints', () => {
  const folder = mkdtempSync(join(tmpdir(), 'packet-'));
  let sockets = 0;
  after(() => rmSync(folder, { recursive: true }));

  streamConformance('tcp', () => 'tcp://127.0.0.1:0');
  streamConformance('unix', () => `unix:${join(folder, `${++sockets}.sock`)}`);
  streamConformance('memory', () => `memory:conformance-${++sockets}`);
});
