import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Verdict } from '../../../agent/store/contract.ts';
import { type Handed, openWorkedStore, readStore, type StoreFiles, type WorkedStore } from './worked-store.ts';

/** A store with messages in all states, and what the world outside it knows. */
export interface History {
  /** As a killed process leaves them. */
  files: StoreFiles;
  /** The same after a clean stop: all of it in the database. */
  closed: StoreFiles;
  /** Acknowledged messages by number. */
  acked: Map<number, string>;
  /** What the platform has been sent, by key. */
  handed: Map<string, Handed>;
  /** Keys of documents that it accepted. */
  accepted: Set<string>;
  /** Messages whose report the platform has had, as far as the sender of it can tell. */
  deliveredSeqs: Set<number>;
}

/** A laboratory report of an invented patient; `more` is what a damaged file must not make of it. */
export const oru = (o: {
  report: number;
  patient?: number;
  version?: number;
  status?: string;
  patientClass?: string;
  items?: number;
}): string => {
  const { report, patient = report, version = 1, status = 'F', patientClass = 'I', items = 6 } = o;
  return [
    `MSH|^~\\&|LIS|H|EDGE|P|202405201026${String(version).padStart(2, '0')}||ORU^R01^ORU_R01|C${report}.${version}${status}|P|2.4|||||CHN|UTF-8`,
    `PID|1|P${patient}|ZY${patient}^^^^PatientNO||测试患者||19900307|M`,
    `PV1|1|${patientClass}|W03^^12^0301^呼吸内科||||||||||||||||JZ${patient}`,
    `OBR|1|AP${report}|SP${report}|XCG^血常规|||20240520080500|||||||20240520083000|04^静脉全血|D0001^刘主管||呼吸内科|0301|LR${report}||202405201020${String(version).padStart(2, '0')}|||${status}|||||||D1002^李审核|D1001^王医师`,
    ...Array.from(
      { length: items },
      (_, i) =>
        `OBX|${i + 1}|NM|I${i}^项目${i}||${report}.${version}${i}|10\\S\\9/L|3.5-9.5|H|||${status === 'P' ? 'P' : 'F'}|||20240520093000`,
    ),
  ].join('\r');
};

/** The i-th message: corrections, interims, withdrawals, unknown codes and heartbeats among final reports. */
function messageOf(i: number): string {
  if (i % 10 === 3) return oru({ report: i - 3, version: 2, status: 'C' });
  if (i % 10 === 5) return oru({ report: i, status: 'P' });
  if (i % 10 === 6) return oru({ report: i, patientClass: 'TJ9' });
  if (i % 10 === 7) return oru({ report: i - 7 + 1, version: 3, status: 'X' });
  if (i % 10 === 9) return `MSH|^~\\&|LIS|H|EDGE|P|20240520102600||ADT^A08|A${i}|P|2.4\rEVN|A08\rPID|1|P${i}`;
  return oru({ report: i, patient: i % 13 });
}

/** Claims what is due and answers it: accepted, refused, received, tried later, and some not at all. */
export async function deliverSome(
  store: WorkedStore,
  history: Pick<History, 'handed' | 'accepted'>,
  answer: (at: number) => 'accepted' | 'refused' | 'received' | 'retry' | 'silence',
  max = 100,
): Promise<number> {
  const claimed = await store.claim(max);
  const verdicts: Verdict[] = [];
  for (const [at, d] of claimed.entries()) {
    if ('damaged' in d) {
      verdicts.push({ n: d.n, outcome: 'refused', code: 'QUE-4003' });
      continue;
    }
    const { key, n, sha, setId, version, operation } = d;
    history.handed.set(key, { sha, setId, version, operation });
    const said = answer(at);
    if (said === 'accepted') {
      history.accepted.add(key);
      verdicts.push({ n, outcome: 'accepted', receipt: `OK-${n}` });
    } else if (said === 'refused') verdicts.push({ n, outcome: 'refused', code: 'PLT-1305' });
    else if (said === 'received') verdicts.push({ n, outcome: 'received', retryAtMs: 0 });
    else if (said === 'retry')
      verdicts.push({ n, outcome: 'retry', code: 'PLT-1304', retryAtMs: Date.now() + 3_600_000 });
  }
  if (verdicts.length > 0) await store.settle(verdicts);
  return claimed.length;
}

/**
 * Makes the store in `root` and reads its files while it is open, as a killed process leaves them: half of its
 * life in the database, half in the WAL.
 */
export async function makeHistory(root: string, messages = 60): Promise<History> {
  mkdirSync(join(root, 'data'), { recursive: true });
  const history: History = {
    files: {} as StoreFiles,
    closed: {} as StoreFiles,
    acked: new Map(),
    handed: new Map(),
    accepted: new Set(),
    deliveredSeqs: new Set(),
  };
  const live = async (store: WorkedStore, from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) {
      const text = messageOf(i);
      const { seq } = await store.accept(text, `C${i}`);
      history.acked.set(seq, text);
      if (i % 7 === 6) await store.work();
      if (i % 9 === 8) {
        await deliverSome(
          store,
          history,
          (at) => (['accepted', 'accepted', 'refused', 'received', 'retry', 'accepted', 'silence'] as const)[at % 7]!,
          7,
        );
      }
    }
  };
  let store = openWorkedStore(root);
  await live(store, 0, messages / 2);
  store.close();
  store = openWorkedStore(root);
  await live(store, messages / 2, messages);
  history.files = readStore(root);
  store.close();
  history.closed = readStore(root);
  return history;
}
