import process from 'node:process';

process.send!('here');
process.on('disconnect', () => process.exit());
