import workerpool from 'workerpool';

workerpool.worker({ pid: () => process.pid });
