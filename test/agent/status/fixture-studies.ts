import type { StudyDesk } from '../../../agent/control/study-desk.ts';
import type { ShownStudy } from '../../../agent/status/model.ts';
import type { InstanceRow } from '../../../agent/store/image-contract.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { night } from './night.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** One study on its way and one that is complete; invented. */
const studyRows = (nowMs = night): ShownStudy[] => [
  {
    study: 7,
    source: 'pacs',
    firstMs: nowMs - 3 * minute,
    lastMs: nowMs - 10 * second,
    instances: 30,
    issue: 0,
    issued: 0,
    urgent: true,
    withdrawn: false,
    states: [
      { platform: 'cloud', state: 'waiting', count: 18 },
      { platform: 'cloud', state: 'delivered', count: 12 },
    ],
    counted: [],
    modalities: ['CT'],
    contradicts: false,
  },
  {
    study: 6,
    source: 'pacs',
    firstMs: nowMs - 5 * hour,
    lastMs: nowMs - 4 * hour,
    instances: 2,
    issue: 2,
    issued: 2,
    urgent: false,
    withdrawn: false,
    states: [{ platform: 'cloud', state: 'held', count: 2 }],
    counted: [],
    modalities: ['DX'],
    contradicts: true,
  },
  {
    study: 5,
    source: 'pacs',
    firstMs: nowMs - 7 * hour,
    lastMs: nowMs - 6 * hour,
    instances: 120,
    issue: 1,
    issued: 120,
    urgent: false,
    withdrawn: false,
    states: [{ platform: 'cloud', state: 'delivered', count: 120 }],
    counted: [{ platform: 'cloud', delivered: 120, counted: 120 }],
    modalities: ['MR'],
    contradicts: false,
  },
];

/** The accession number by which study 6 is found; invented. */
export const knownAccession = 'A900001';

/** Desk of the two studies above: what the page asks is answered as the real one does. */
export function studyDesk(): Pick<StudyDesk, 'list' | 'find' | 'show' | 'instances' | 'resend'> {
  const rows = studyRows();
  const known = (study: number): ShownStudy => {
    const row = rows.find((r) => r.study === study);
    if (!row) throw new QianzhiError('DCM-2281');
    return row;
  };
  return {
    list: async () => rows,
    async find(by, term) {
      if (term.trim() === '') throw new QianzhiError('DCM-2286');
      return by === 'accession' && term.trim() === knownAccession ? [known(6)] : [];
    },
    show: async (study) => ({ ...known(study), reports: study === 6 ? [{ seq: 182_001, state: 'linked' }] : [] }),
    instances: async (study, limit, after = 0) =>
      Array.from({ length: known(study).instances }, (_, i): InstanceRow => {
        const sent = study === 5 || (study === 7 && i >= 18);
        return {
          n: study * 1000 + i + 1,
          receivedMs: night - minute + i * 100,
          bytes: 526_336,
          study,
          number: i + 1,
          fileKept: true,
          states: [
            study === 6
              ? { platform: 'cloud', state: 'held', code: 'DCM-2274', attempts: 1 }
              : { platform: 'cloud', state: sent ? 'delivered' : 'waiting', attempts: sent ? 1 : 0 },
          ],
        };
      })
        .filter((row) => row.n > after)
        .slice(0, limit),
    async resend(what) {
      const { study } = what as { study: number };
      if (study === 6) return { resent: 2, rest: [] };
      known(study);
      return { resent: 12, rest: [{ platform: 'cloud', why: 'waiting', count: 18 }] };
    },
  };
}
