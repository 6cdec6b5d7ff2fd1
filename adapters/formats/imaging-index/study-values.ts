import type { ImagingStudy } from '../../../agent/clinical/records/types.ts';

/** What a field of the index can be made from. */
export const modelPaths = [
  'studyUid',
  'studyId',
  'accessionNumbers',
  'modalities',
  'description',
  'startedAt',
  'series',
  'instances',
  'patient.id',
  'patient.name',
  'patient.sex',
  'patient.birthDate',
] as const;
export type ModelPath = (typeof modelPaths)[number];

/** The values of a study under a path, none where it says nothing. Sex is the code of GB/T 2261.1, mapped ones only. */
export function valuesOf(study: ImagingStudy, path: ModelPath): string[] {
  const { patient } = study;
  switch (path) {
    case 'accessionNumbers':
    case 'modalities':
      return study[path];
    case 'series':
    case 'instances':
      return stated(study[path] === undefined ? undefined : String(study[path]));
    case 'patient.id':
      return stated(patient.identifiers[0]?.value);
    case 'patient.name':
      return stated(patient.name);
    case 'patient.sex':
      return stated(patient.sex?.standard?.code);
    case 'patient.birthDate':
      return stated(patient.birthDate);
    default:
      return stated(study[path]);
  }
}

const stated = (value: string | undefined): string[] => (value === undefined || value.trim() === '' ? [] : [value]);
