import './exec.js';
import './memory.js';
import './tcp.js';
import './tls.js';
import './udp.js';
import './unix.js';

export * from './endpoint.js';
