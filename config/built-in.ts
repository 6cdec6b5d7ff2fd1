import { readAsset } from '../agent/support/assets.ts';

/** The source profiles of HL7 v2 that ship with the program; a profile may extend one of them. */
export const hl7Dialects = [
  'cn-default',
  'mindray-analyser',
  'mindray-monitor',
  'lis-oul',
  'pacs-report',
  'his',
  'winning',
];

/** All source profiles that ship with the program. */
export const builtInProfiles = [...hl7Dialects, 'dicom-default'];

/** True for a name such as `china-lis`; anything with a slash, backslash or dot is a path. */
export const isBuiltInName = (named: string): boolean => /^[^./\\]+$/.test(named);

/** Text of a source profile or province pack that ships with the program. Throws when there is none. */
export function builtInText(kind: 'profile' | 'pack', name: string): { path: string; text: string } {
  const path = kind === 'profile' ? `config/dialects/${name}.yaml` : `config/provinces/${name}/pack.yaml`;
  return { path, text: readAsset(path) };
}
