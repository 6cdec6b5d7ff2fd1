import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { tried } from '../../long/figures.ts';
import { chooseSeed } from '../seed.ts';
import { longestMs, longestStep } from './longest-step.ts';
import { longestInput, makeCase } from './mutations.ts';
import { ownMessages } from './own-messages.ts';

/**
 * Whatever bytes a sender puts into a frame of at most 64 KB: nothing throws, and no step of its intake and no reading of a
 * message out of it holds the thread for more than 50 ms (reference/hl7v2.md §3.2 point 52).
 *
 *     QIANZHI_SEED=<seed> QIANZHI_CASE=<number> node test/run.ts all test/faults/hl7/fuzz.long.test.ts   one case again
 */
const proof = process.env.QIANZHI_PROOF === '1';
const cases = proof ? 1_000_000 : 20_000;
const only = process.env.QIANZHI_CASE;
t.setTimeout(proof ? 3_500_000 : 600_000);

const corpus = new URL('../../../../shared/corpus/hl7/', import.meta.url);

/** Whole messages to start from: our own, and the corpus where it is. */
function seedMessages(): Buffer[] {
  const index = new URL('index.json', corpus);
  if (!existsSync(index)) return ownMessages;
  const files = JSON.parse(readFileSync(index, 'utf8')) as Array<{ file: string; size: number }>;
  const fromCorpus = files
    .filter(({ size }) => size <= longestInput)
    .map(({ file }) => readFileSync(new URL(file.split('/').map(encodeURIComponent).join('/'), corpus)));
  return [...ownMessages, ...fromCorpus];
}

t.test('point 52: no input throws or holds the thread', (t) => {
  const seed = chooseSeed();
  const seeds = seedMessages();
  t.comment(`seed ${seed}, ${seeds.length} messages to start from`);
  // What the compiler does with the first of them is no case's time.
  for (const message of seeds.slice(0, 300)) longestStep({ payload: message, chunks: [] });
  const failed: string[] = [];
  let slowest = 0;
  let slowestMade = '';
  let bytes = 0;
  const [from, to] = only === undefined ? [0, cases] : [Number(only), Number(only) + 1];
  for (let number = from; number < to && failed.length < 20; number++) {
    const one = makeCase(seed, number, seeds);
    bytes += one.payload.length;
    try {
      const ms = longestStep(one);
      if (ms > slowest) [slowest, slowestMade] = [ms, `${number}: ${one.made}, ${one.payload.length} bytes`];
      if (ms > longestMs) failed.push(`case ${number} (${one.made}) took ${ms.toFixed(0)} ms`);
    } catch (error) {
      const stack = (error as Error).stack?.split('\n').slice(0, 4).join('');
      failed.push(`case ${number} (${one.made}) threw ${stack}`);
    }
  }
  t.same(failed, [], `seed ${seed}`);
  t.comment(`slowest step ${slowest.toFixed(1)} ms, case ${slowestMade}`);
  t.comment(`${Math.round(bytes / 1e6)} MB in all`);
  t.comment(tried('HL7 inputs of any kind, none thrown on, no step over 50 ms', to - from, failed.length));
  t.end();
});
