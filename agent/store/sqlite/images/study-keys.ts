import type { DatabaseSync } from 'node:sqlite';
import type { StudyFacts } from '../../../images/study-facts.ts';
import type { Vault } from '../../../security/vault.ts';
import type { StudySearch } from '../../image-contract.ts';

/** MAC fields by which a study is searched; its UID has a field and a column of its own. */
export const studyKeyFields: Record<Exclude<StudySearch, 'uid'>, string> = {
  accession: 'study-accession-number',
  patient: 'study-patient-id',
};

/** What names a study, of one header or of all of them together. */
export interface StudyNames {
  patientId?: string | undefined;
  otherPatientIds?: readonly string[] | undefined;
  accessionNumbers: ReadonlyArray<string | undefined>;
}

/** The cursor row that says how far studies of an older version have their keys. */
const FILLED = 'study-keys';
const ALL = Number.MAX_SAFE_INTEGER;
/** An acknowledgement may have to wait behind these: some 10 ms. */
const AT_ONCE = 100;
/** Of one header; more is a sender's fault, and each is a row (invariant 12). */
const MOST_IDS = 32;

/** Writes the keys by which studies are found. */
export function openStudyKeys(db: DatabaseSync, vault: Vault) {
  const put = db.prepare('INSERT OR IGNORE INTO study_key(mac, study) VALUES(?,?)');
  const filledTo = db.prepare('SELECT at FROM cursor WHERE stage=?');
  const setFilled = db.prepare('INSERT INTO cursor(stage, at) VALUES(?,?) ON CONFLICT DO UPDATE SET at=excluded.at');
  const older = db.prepare('SELECT id, key_id, sealed FROM study WHERE id > ? ORDER BY id LIMIT ?');

  /** `written` has what was written of this study before, so that a hundred instances that say the same cost one. */
  function add(study: number, names: StudyNames, written = new Set<string>()): void {
    const one = (kind: keyof typeof studyKeyFields, sent: string | undefined) => {
      const value = sent?.trim() ?? '';
      const key = `${kind} ${value}`;
      if (value === '' || written.has(key)) return;
      written.add(key);
      put.run(vault.mac(studyKeyFields[kind], value), study);
    };
    for (const number of names.accessionNumbers) one('accession', number);
    one('patient', names.patientId);
    for (const id of (names.otherPatientIds ?? []).slice(0, MOST_IDS)) one('patient', id);
  }

  /** Undefined where they are damaged: the study gets its keys with the next instance that comes of it. */
  function factsOf(study: number, keyId: number, sealed: Uint8Array): StudyFacts | undefined {
    try {
      return JSON.parse(vault.open('study', study, keyId, sealed).toString('utf8')) as StudyFacts;
    } catch {
      return undefined;
    }
  }

  return {
    add,
    /**
     * A step of giving studies of a version without keys theirs, from what is known of them; where it is left the next start
     * goes on. Of headers that contradict each other that is the first. Returns how many had none; undefined when all have
     * theirs. Call inside a transaction.
     */
    fillSome(): number | undefined {
      const at = (filledTo.get(FILLED) as { at: number } | undefined)?.at ?? 0;
      if (at >= ALL) return undefined;
      const rows = older.all(at, AT_ONCE) as unknown as Array<{ id: number; key_id: number; sealed: Uint8Array }>;
      for (const { id, key_id, sealed } of rows) {
        const facts = factsOf(id, key_id, sealed);
        if (facts) add(id, facts);
      }
      setFilled.run(FILLED, rows.length < AT_ONCE ? ALL : (rows.at(-1)?.id ?? ALL));
      return rows.length;
    },
  };
}
