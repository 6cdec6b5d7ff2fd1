import type { Registry } from '../agent/registry.ts';
import { languages } from './languages.ts';
import { httpsPlatform } from './platforms/https/adapter.ts';
import { hl7Mllp } from './sources/hl7-mllp/source.ts';

/** Everything the agent can speak. A new source, format or platform is a folder and one line here or in languages.ts. */
export const registry: Registry = {
  ...languages,
  sources: [hl7Mllp],
  platforms: [httpsPlatform],
};
