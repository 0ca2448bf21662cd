/**
 * Tools for testing applications: no ports, no sleeps, no processes unless asked for.
 * @module packet-ts/testing
 */
export { createTestApp, TestApp, TestAppBuilder, type TestOptions, type TestOverride } from './create-test-app.js';
export { ExpectationError, TestClient } from './test-client.js';
export { TestServer } from './test-server.js';
export { FakeClock } from './fake-clock.js';
export { memoryMesh, type MemoryMesh } from './memory-mesh.js';
export { conformance, conformanceChecks, type Check, type ConformanceCases, type ConformanceSample } from './conformance.js';
