import { checkProfile } from '../../adapters/hl7v2/profile/check.ts';
import { hl7MllpConfig } from '../../adapters/sources/hl7-mllp/config.ts';
import { hl7Mllp } from '../../adapters/sources/hl7-mllp/source.ts';
import { openStore, startStoreThread } from '../../agent/store/sqlite/store.ts';
import { readAsset } from '../../agent/support/assets.ts';
import { systemClock } from '../../agent/support/clock.ts';
import { createLog } from '../../agent/support/log.ts';
import { startThread } from '../../agent/support/thread.ts';

/**
 * The product's own listener and store without the stages behind them: what a durable acknowledgement
 * costs when nothing else wants the processor or the writer. With `commit`, each message is committed alone.
 *
 *     node intake-server.js <folder> [commit]
 */
const [, , folder, mode] = process.argv;
const store = await openStore(
  {
    folder: `${folder}/data`,
    keyReference: `file:${folder}/keys/data.key`,
    demo: false,
    sources: ['lis'],
    platforms: [],
    timeZone: 'Asia/Shanghai',
  },
  (code) => {
    throw new Error(code);
  },
  mode === 'commit' ? startThread('test/bench/commit-thread.ts') : startStoreThread(),
);
const source = await hl7Mllp.start(
  {
    name: 'lis',
    profile: checkProfile(readAsset('config/dialects/cn-default.yaml')).profile,
    senders: [],
    clock: systemClock,
    log: createLog(2, 'error'),
    accept: (message) => store.accept({ ...message, source: 'lis' }),
    pendingBytes: store.pendingBytes,
    changed() {},
  },
  hl7MllpConfig.parse({ port: 0, max_connections_per_peer: 256 }),
);
process.send?.({ port: Number(source.status().address?.split(':').at(-1)) });
const stop = async () => {
  await source.stop(500);
  await store.close();
  process.exit(0);
};
process.on('SIGTERM', stop);
process.on('disconnect', stop);
