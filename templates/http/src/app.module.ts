import { Module } from 'packet-ts';
import { Api } from './api.connection.js';
import { Primes } from './primes.worker.js';

@Module({ connections: [Api], workers: [Primes] })
export class AppModule {}
