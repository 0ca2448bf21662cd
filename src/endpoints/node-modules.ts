import process from 'node:process';

// Modules of Node that few connections need. They are loaded when one does: at the start of a worker they would take as long as a
// third of all that is ours.

export const nodeTls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls');
export const nodeCrypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');
export const nodeDgram = (): typeof import('node:dgram') => process.getBuiltinModule('node:dgram');
export const nodeDns = (): typeof import('node:dns/promises') => process.getBuiltinModule('node:dns/promises');
export const nodeChildProcess = (): typeof import('node:child_process') => process.getBuiltinModule('node:child_process');
