import { Module } from 'packet-ts';
import { EvalConnection } from './eval.connection.js';
import { EvalWorker } from './eval.worker.js';
import { FooConnection } from './foo.connection.js';
import { FooWorker } from './foo.worker.js';

@Module({ connections: [EvalConnection, FooConnection], workers: [EvalWorker, FooWorker] })
export class AppModule {}
