import type { Registry } from '../agent/registry.ts';
import { wst500Cda } from './formats/wst500-cda/adapter.ts';
import { compileProfile } from './hl7v2/profile/compile.ts';
import { httpsPlatform } from './platforms/https/platform.ts';
import { hl7Mllp } from './sources/hl7-mllp/source.ts';

/** Everything the agent can speak. A new source, format or platform is a folder and one line here. */
export const registry: Registry = {
  sources: [hl7Mllp],
  profiles: [{ sourceKinds: ['hl7-mllp'], compile: compileProfile }],
  formats: [wst500Cda],
  platforms: [httpsPlatform],
};
