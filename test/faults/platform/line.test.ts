import { runPlatformCases } from './case-run.ts';
import { lineCases } from './cases-line.ts';

runPlatformCases(lineCases);
