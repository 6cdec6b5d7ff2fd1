import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { buildAck } from '../../../adapters/hl7v2/ack.ts';
import { decodeMessage } from '../../../adapters/hl7v2/charset.ts';
import { readMsh } from '../../../adapters/hl7v2/msh.ts';

const corpus = new URL('../../../../shared/corpus/hl7/', import.meta.url);
const skip = existsSync(new URL('oracle.ndjson', corpus)) ? false : 'the shared corpus is not here';

type Fields = Record<string, string[][]>;
interface Entry {
  file: string;
  segments: Array<[string, Fields]> | null;
}

t.test('every corpus message that the oracle reads: MSH agrees and the bytes decode', { skip }, async (t) => {
  const entries = readFileSync(new URL('oracle.ndjson', corpus), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
  const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1').trim();
  const disagree: string[] = [];
  let compared = 0;
  for (const entry of entries) {
    const raw = readFileSync(new URL(entry.file, corpus));
    const decoded = decodeMessage(raw);
    if (!decoded.ok) disagree.push(`${entry.file}: charset`);
    const msh = readMsh(raw);
    const oracle = entry.segments?.find(([name]) => name === 'MSH')?.[1];
    if (oracle === undefined) continue;
    if (msh === undefined) {
      disagree.push(`${entry.file}: not read`);
      continue;
    }
    compared += 1;
    const first = (field: string, component = 0) => oracle[field]?.[0]?.[component] ?? '';
    const { component, repetition = '\r' } = msh.delimiters;
    const part = (bytes: Uint8Array) => latin1(bytes).split(repetition)[0]?.split(component)[0] ?? '';
    if (part(msh.controlId) !== first('10').trim()) disagree.push(`${entry.file}: MSH-10`);
    if (part(msh.version) !== first('12').trim()) disagree.push(`${entry.file}: MSH-12`);
    if (msh.messageType.code !== first('9').trim()) disagree.push(`${entry.file}: MSH-9.1`);
    // A trigger that is missing is taken from the structure, as the mapping does.
    const trigger = first('9', 1).trim() || (first('9', 2).split('_')[1] ?? '');
    if (msh.messageType.trigger !== trigger) disagree.push(`${entry.file}: MSH-9.2`);
    const answer = readMsh(buildAck(msh, { code: 'AA' }, 'X', 0));
    if (answer?.hasMsa !== true) disagree.push(`${entry.file}: our answer cannot be read`);
  }
  t.comment(`${compared} of ${entries.length} compared`);
  t.ok(compared > 1000);
  t.same(disagree, []);
});
