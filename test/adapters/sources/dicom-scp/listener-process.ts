import { startListener } from './listener.ts';

/** A listener in a process of its own, whose memory can be watched. Keeps instances in the folder given; tells its port. */
const { port } = await startListener({ teardown() {} }, {}, process.argv[2]);
process.send?.({ port });
process.on('disconnect', () => process.exit());
