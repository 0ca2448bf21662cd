export { waitFor, soon, type WaitOptions } from './wait-for.js';
export { Inbox } from './inbox.js';
export { atEnd } from './cleanup.js';
export { spawnScript, spawnProgram, Script, type ScriptExit, type ScriptOptions } from './spawn-script.js';
export { tcpClient, TcpClient } from './tcp-client.js';
export { freePort, natsServer, NatsServer, type NatsServerOptions } from './nats-server.js';
export { findProgram, needsProgram } from './needs-program.js';
export { processesOf, type ProcessInfo } from './process-table.js';
export { webClient, WebClient, type WebMessage } from './web-client.js';
