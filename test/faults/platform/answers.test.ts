import { runPlatformCases } from './case-run.ts';
import { answerCases } from './cases-answers.ts';

runPlatformCases(answerCases);
