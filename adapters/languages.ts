import type { Languages } from '../agent/registry.ts';
import { dicomProfiles } from './dicom/profile/compile.ts';
import { imagingIndex } from './formats/imaging-index/adapter.ts';
import { wst500Cda } from './formats/wst500-cda/adapter.ts';
import { hl7v2Profiles } from './hl7v2/profile/compile.ts';

/** What mapping and rendering speak: no sockets, no YAML and no schemas, so that their worker loads none. */
export const languages: Languages = { profiles: [hl7v2Profiles, dicomProfiles], formats: [wst500Cda, imagingIndex] };
