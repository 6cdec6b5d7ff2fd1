import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import t from 'tap';

const thread = new URL('../../../agent/support/thread.ts', import.meta.url).href;
const standsBack = `
  const { readlinkSync } = require('node:fs');
  import(${JSON.stringify(thread)}).then(({ standBack }) => {
    standBack();
    require('node:worker_threads').parentPort.postMessage(process.platform === 'linux' ? readlinkSync('/proc/thread-self') : '');
  });
  require('node:worker_threads').parentPort.once('message', () => process.exit());
`;
const niceness = (of: string): number =>
  Number(readFileSync(`/proc/${of}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]);

t.test('a thread that stands back lets the others of its process go first, and no other does', async (t) => {
  const worker = new Worker(standsBack, { eval: true });
  const name: string = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  if (process.platform === 'linux') {
    const mine = niceness('thread-self');
    t.ok(niceness(name) > mine, 'it comes after this one');
    t.equal(niceness(`self/task/${process.pid}`), mine);
  }
  worker.postMessage('end');
});
