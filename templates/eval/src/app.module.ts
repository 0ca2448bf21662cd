import { Module } from 'packet-ts';
import { EvalConnection } from './eval.connection.js';
import { EvalWorker } from './eval.worker.js';

@Module({ connections: [EvalConnection], workers: [EvalWorker] })
export class AppModule {}
