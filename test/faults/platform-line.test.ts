import { runPlatformCases } from './platform-case-run.ts';
import { lineCases } from './platform-cases-line.ts';

runPlatformCases(lineCases);
