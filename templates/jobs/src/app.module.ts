import { Module } from 'packet-ts';
import { Api } from './api.connection.js';
import { JobStore } from './job-store.js';
import { Reports } from './report.worker.js';

@Module({ connections: [Api], workers: [Reports], providers: [JobStore] })
export class AppModule {}
