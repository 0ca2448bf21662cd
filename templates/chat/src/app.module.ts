import { Module } from 'packet-ts';
import { Chat } from './chat.connection.js';
import { Page } from './page.connection.js';

@Module({ connections: [Page, Chat] })
export class AppModule {}
