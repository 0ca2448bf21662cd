import './process/exec.js';
import './process/fd.js';
import './memory.js';
import './process/stdio.js';
import './process/systemd.js';
import './net/tcp.js';
import './tls/tls.js';
import './udp/udp.js';
import './net/unix.js';

export * from './endpoint.js';
