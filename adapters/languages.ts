import type { Registry } from '../agent/registry.ts';
import { wst500Cda } from './formats/wst500-cda/adapter.ts';
import { compileProfile } from './hl7v2/profile/compile.ts';

/** What mapping and rendering speak: no sockets, so that their worker loads none. */
export const languages: Pick<Registry, 'profiles' | 'formats'> = {
  profiles: [{ sourceKinds: ['hl7-mllp'], compile: compileProfile }],
  formats: [wst500Cda],
};
