import type { Patient } from '../../../agent/clinical/records/types.ts';
import type { LookupKey, LookupKind } from '../../../agent/store/contract.ts';
import { phi } from '../../../agent/support/phi.ts';

/** Collects the keys a message can be found by, each once. */
export class SearchKeys {
  readonly #seen = new Set<string>();
  readonly keys: LookupKey[] = [];

  add(kind: LookupKind, value: string | undefined): void {
    if (value === undefined || value === '' || this.#seen.has(`${kind}\n${value}`)) return;
    this.#seen.add(`${kind}\n${value}`);
    this.keys.push({ kind, value: phi(value) });
  }

  addPatient(patient: Patient): void {
    for (const identifier of patient.identifiers) this.add('patient', identifier.value);
    this.add('name', patient.name);
    // `张  晋` is looked for as it is spoken.
    this.add('name', patient.name?.replace(/\s/gu, ''));
  }
}
