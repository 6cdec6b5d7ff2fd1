import { QianzhiError } from '../../../agent/support/errors.ts';
import { parseYamlText } from '../../../config/yaml-document.ts';
import { type DicomProfile, dicomProfileSchema } from './schema.ts';

/** Checks a source profile of images. Throws QianzhiError CFG-5009 with `where` = `line:column path (reason)`. */
export function checkDicomProfile(profileText: string): DicomProfile {
  const yaml = parseYamlText(profileText);
  const [problem] = yaml.problems;
  if (problem !== undefined) {
    const { line, column } = problem.position;
    throw new QianzhiError('CFG-5009', `${line}:${column} (${problem.message.en.replace(/\.$/, '')})`);
  }
  const parsed = dicomProfileSchema.safeParse(yaml.value ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).map((step) => (typeof step === 'symbol' ? String(step) : step));
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const at = unknown === undefined ? path : [...path, unknown];
  const { line, column } = unknown === undefined ? yaml.positionOf(at) : yaml.positionOfKey(at);
  const reason = unknown === undefined ? (issue?.message ?? 'not valid') : 'unknown key';
  throw new QianzhiError('CFG-5009', `${line}:${column} ${at.join('.')} (${reason})`);
}
