import './exec.js';
import './fd.js';
import './memory.js';
import './stdio.js';
import './systemd.js';
import './tcp.js';
import './tls.js';
import './udp.js';
import './unix.js';

export * from './endpoint.js';
