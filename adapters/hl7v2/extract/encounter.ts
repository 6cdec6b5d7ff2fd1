import type { Coded, Encounter } from '../../../agent/clinical/records/types.ts';
import type { Segment } from '../parser.ts';
import { missingKey } from '../profile/path-compile.ts';
import { codedOf, type Extraction, timeOf, valueBy } from './reading.ts';

/** The encounter, and where its class was looked for when it is unknown (MAP-3005: held, never guessed). */
export function readEncounter(
  x: Extraction,
  diagnoses: readonly Segment[],
): { encounter: Encounter; unknownClassAt: string | undefined } {
  const { encounter: paths, tables } = x.rules;
  const patientClass = tables.patientClass.get(valueBy(x, paths.class) ?? missingKey);
  const encounter: Encounter = {
    patientClass,
    visitNumber: valueBy(x, paths.visitNumber),
    department: codedOf(x, paths.department),
    ward: codedOf(x, paths.ward),
    room: valueBy(x, paths.room),
    bed: valueBy(x, paths.bed),
    admittedAt: timeOf(x, paths.admittedAt, 'encounter.admittedAt'),
    diagnoses: diagnoses.flatMap((segment) => readDiagnosis(x, segment)),
  };
  const unknownClassAt =
    patientClass !== undefined ? undefined : x.scope.current.PV1 === undefined ? 'PV1' : 'encounter.class';
  return { encounter, unknownClassAt };
}

function readDiagnosis(x: Extraction, segment: Segment): Array<Coded & { diagnosedAt?: string }> {
  x.scope.current.DG1 = segment;
  const diagnosis = codedOf(x, x.rules.encounter.diagnosis);
  if (diagnosis === undefined) return [];
  const at = timeOf(x, x.rules.encounter.diagnosis.at, 'encounter.diagnoses.diagnosedAt');
  return [{ ...diagnosis, ...(at !== undefined && { diagnosedAt: at }) }];
}
