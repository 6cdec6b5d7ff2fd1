import { join } from 'node:path';
import { openStore } from '../../../agent/store/sqlite/store.ts';
import { codeOf } from '../../../agent/support/errors.ts';

/** Process of durable.shared.test.ts: `<folder> <messages one by one> <messages at once>`; prints what became of them. */
const [folder = '', sequential = '0', together = '0'] = process.argv.slice(2);
const fatal: string[] = [];
const failed: string[] = [];
let acked = 0;
const store = await openStore(
  {
    folder: join(folder, 'data'),
    keyReference: `file:${join(folder, 'keys', 'data.key')}`,
    demo: false,
    sources: ['lis'],
    platforms: [],
    timeZone: 'Asia/Shanghai',
    disk: { ballastBytes: 1024 },
  },
  (code) => fatal.push(code),
);
const send = async (i: number): Promise<void> => {
  try {
    await store.accept({
      source: 'lis',
      bytes: Buffer.from(`message ${i}`),
      controlId: Buffer.from(`C${i}`),
      receivedMs: Date.now(),
    });
    acked += 1;
  } catch (error) {
    failed.push(codeOf(error, 'SYS-6004'));
  }
};
for (let i = 0; i < Number(sequential); i++) await send(i);
await Promise.all(Array.from({ length: Number(together) }, (_, i) => send(1_000_000 + i)));
process.stdout.write(`${JSON.stringify({ acked, failed, fatal })}\n`);
if (fatal.length === 0) await store.close();
process.exit(0);
