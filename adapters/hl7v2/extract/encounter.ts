import type { Diagnosis, Encounter } from '../../../agent/clinical/records/types.ts';
import type { Segment } from '../parser.ts';
import { missingKey } from '../profile/path-compile.ts';
import { codedOf, type Extraction, personOf, timeOf, valueBy } from './reading.ts';

export interface EncounterReading {
  encounter: Encounter;
  /** The message says a class that is in no table (MAP-3005): not the same as saying none, and never guessed. */
  unknownClass: boolean;
}

export function readEncounter(x: Extraction, diagnoses: readonly Segment[]): EncounterReading {
  const { encounter: paths, tables } = x.rules;
  const code = valueBy(x, paths.class);
  const patientClass = tables.patientClass.get(code ?? missingKey);
  const encounter: Encounter = {
    patientClass,
    visitNumber: valueBy(x, paths.visitNumber),
    department: codedOf(x, paths.department),
    ward: codedOf(x, paths.ward),
    room: valueBy(x, paths.room),
    bed: valueBy(x, paths.bed),
    admittedAt: timeOf(x, paths.admittedAt, 'encounter.admittedAt'),
    dischargedAt: timeOf(x, paths.dischargedAt, 'encounter.dischargedAt'),
    attending: personOf(x, paths.attending),
    campus: codedOf(x, paths.campus),
    diagnoses: diagnoses.flatMap((segment) => readDiagnosis(x, segment)),
  };
  return { encounter, unknownClass: patientClass === undefined && code !== undefined };
}

function readDiagnosis(x: Extraction, segment: Segment): Diagnosis[] {
  x.scope.current.DG1 = segment;
  const diagnosis = codedOf(x, x.rules.encounter.diagnosis);
  if (diagnosis === undefined) return [];
  const at = timeOf(x, x.rules.encounter.diagnosis.at, 'encounter.diagnoses.diagnosedAt');
  return [{ ...diagnosis, ...(at !== undefined && { diagnosedAt: at }) }];
}
