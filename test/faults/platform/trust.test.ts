import { runPlatformCases } from './case-run.ts';
import { trustCases } from './cases-trust.ts';

runPlatformCases(trustCases);
