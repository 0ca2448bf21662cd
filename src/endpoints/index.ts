import './memory.js';
import './tcp.js';
import './unix.js';

export * from './endpoint.js';
