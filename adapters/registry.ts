import type { Registry } from '../agent/registry.ts';
import { checkDicomProfile, numbersOfDicom } from './dicom/profile/check.ts';
import { dicomProfiles } from './dicom/profile/compile.ts';
import { imagingIndex } from './formats/imaging-index/adapter.ts';
import { checkPack as checkIndexPack } from './formats/imaging-index/pack.ts';
import { wst500Cda } from './formats/wst500-cda/adapter.ts';
import { checkPack } from './formats/wst500-cda/pack/check-pack.ts';
import { checkProfile } from './hl7v2/profile/check.ts';
import { hl7v2Profiles } from './hl7v2/profile/compile.ts';
import { namedOrganisations } from './hl7v2/profile/compile-organisation.ts';
import { dicomwebPlatform } from './platforms/dicomweb/adapter.ts';
import { httpsPlatform } from './platforms/https/adapter.ts';
import { dicomFolder } from './sources/dicom-folder/source.ts';
import { dicomScp } from './sources/dicom-scp/source.ts';
import { hl7Folder } from './sources/hl7-folder/source.ts';
import { hl7Mllp } from './sources/hl7-mllp/source.ts';

/** Everything the agent can speak. A new source, format or platform is a folder and a line here; languages.ts too. */
export const registry: Registry = {
  sources: [hl7Mllp, hl7Folder],
  imageSources: [dicomScp, dicomFolder],
  profiles: [
    {
      ...hl7v2Profiles,
      check: (text, file) => checkProfile(text, file).profile,
      organisations: namedOrganisations,
    },
    { ...dicomProfiles, check: checkDicomProfile, organisations: numbersOfDicom },
  ],
  formats: [
    { ...wst500Cda, check: checkPack },
    { ...imagingIndex, check: checkIndexPack },
  ],
  platforms: [httpsPlatform],
  imagePlatforms: [dicomwebPlatform],
};
