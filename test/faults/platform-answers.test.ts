import { runPlatformCases } from './platform-case-run.ts';
import { answerCases } from './platform-cases-answers.ts';

runPlatformCases(answerCases);
