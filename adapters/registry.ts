import type { Registry } from '../agent/registry.ts';
import { wst500Cda } from './formats/wst500-cda/adapter.ts';
import { checkPack } from './formats/wst500-cda/check-pack.ts';
import { checkProfile } from './hl7v2/profile/check.ts';
import { hl7v2Profiles } from './hl7v2/profile/compile.ts';
import { httpsPlatform } from './platforms/https/adapter.ts';
import { hl7Mllp } from './sources/hl7-mllp/source.ts';

/** Everything the agent can speak. A new source, format or platform is a folder and a line here; languages.ts too. */
export const registry: Registry = {
  sources: [hl7Mllp],
  profiles: [{ ...hl7v2Profiles, check: (text) => checkProfile(text).profile }],
  formats: [{ ...wst500Cda, check: checkPack }],
  platforms: [httpsPlatform],
};
