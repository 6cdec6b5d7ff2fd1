import { startFolder } from './dropped.ts';

/** Process of kill.long.test.ts: `<folder>`; real store, the folder source. Ends when it is killed or told `stop`. */
const [base = ''] = process.argv.slice(2);
const closers: Array<() => unknown> = [];
const { source, accepted } = await startFolder({ teardown: (done) => void closers.push(done) }, {}, { base });
process.on('message', async () => {
  for (const close of closers) await close();
  process.disconnect();
});
process.on('disconnect', () => process.exit(0));
setInterval(() => {
  const { waiting, takenToday } = source.status().folder;
  process.send?.({ accepted: accepted(), waiting, takenToday });
}, 20).unref();
process.send?.({ accepted: 0, waiting: -1, takenToday: 0 });
