import { ConfigError, type ConfigIssue, placeOf } from '../../config/config-error.ts';
import { errnoOf, errorTable, QianzhiError } from '../support/errors.ts';
import type { CliContext } from './command.ts';

/**
 * Says what went wrong on stderr: sentences, or with `--json` the envelope
 * `{code, message, cause, fix, docs}` (reference surface.md §3.3), with `issues` for a configuration.
 */
export function reportError(context: CliContext, error: unknown): void {
  if (error instanceof ConfigError) reportConfigError(context, error);
  else if (error instanceof QianzhiError) reportOwnError(context, error);
  else reportForeignError(context, error);
}

function reportOwnError(context: CliContext, error: QianzhiError): void {
  const { lang, json, talk } = context;
  if (json) {
    const where = error.where === undefined ? {} : { where: error.where };
    talk(JSON.stringify({ ...envelope(context, error), ...where }));
    return;
  }
  const text = errorTable[error.code][lang];
  const place = error.where === undefined ? '' : lang === 'zh' ? `（${error.where}）` : ` (${error.where})`;
  const [cause, fix] = lang === 'zh' ? ['原因：', '处理：'] : ['Cause: ', 'Fix: '];
  talk(`${error.code} ${text.title}${place}\n  ${cause}${text.cause}\n  ${fix}${text.fix}`);
}

/** The text of a foreign error may hold anything that came from outside (invariant 10): only its kind is told. */
function reportForeignError({ lang, json, talk }: CliContext, error: unknown): void {
  const kind = errnoOf(error) ?? (error instanceof Error ? error.name : 'Error');
  const message = lang === 'zh' ? `程序内部出错（${kind}）。` : `Internal error (${kind}).`;
  talk(json ? JSON.stringify({ code: kind, message }) : message);
}

function reportConfigError(context: CliContext, error: ConfigError): void {
  const { lang, json, talk } = context;
  if (json) {
    talk(
      JSON.stringify({ ...envelope(context, error), issues: error.issues.map((issue) => issueData(context, issue)) }),
    );
    return;
  }
  for (const issue of error.issues) talk(issueLine(context, issue));
  const count = error.issues.length;
  talk(
    lang === 'zh'
      ? `共 ${count} 处需要改正；没有打开任何端口或数据。`
      : `${count} to correct; no port and no data was opened.`,
  );
}

/** `file:line:column CODE path: sentence` on one line, so that editors can jump to it. */
export function issueLine({ lang }: CliContext, issue: ConfigIssue): string {
  const path = issue.path === '' ? '' : lang === 'zh' ? `${issue.path}：` : `${issue.path} `;
  return `${placeOf(issue)} ${issue.code} ${path}${issue.message[lang]}`;
}

export const issueData = ({ lang }: CliContext, issue: ConfigIssue) => ({ ...issue, message: issue.message[lang] });

function envelope({ lang }: CliContext, error: QianzhiError) {
  const text = errorTable[error.code][lang];
  const docs = `docs/errors.md#${error.code.toLowerCase()}`;
  return { code: error.code, message: text.title, cause: text.cause, fix: text.fix, docs };
}
