import { runPlatformCases } from './platform-case-run.ts';
import { trustCases } from './platform-cases-trust.ts';

runPlatformCases(trustCases);
