/**
 * Websockets as endpoints, `ws://host:port/path` and `wss://…`: importing it is enough. Needs the package `ws`.
 * @example
 * import 'packet-ts/websocket';
 * @Connection({ listen: 'ws://127.0.0.1:8080/chat', framing: lines() })
 * class Chat { @OnData() say(text: string) { return `you said ${text}`; } }
 * @module packet-ts/websocket
 */
import './scheme.js';

export type { OpeningRequest } from './opening-request.js';
