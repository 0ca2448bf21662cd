/** A program that does nothing, or with an argument loads what the worker's code needs anyway; prints the MB that it has of its own. */
import { setTimeout as pause } from 'node:timers/promises';
import { ownMemory } from './own.js';

if (process.argv[2] === 'libraries') {
  await import('reflect-metadata');
  await import('tsyringe');
  await import('zod');
}
await pause(2_000);
console.log(ownMemory(process.pid));
