/** The two languages in which the agent speaks to people. */
export type Language = 'zh' | 'en';

/** One text in both languages; a missing language is a compile error. */
export type Bilingual = Readonly<Record<Language, string>>;

/**
 * One string that carries both languages, for places that take only one string (a message of a zod
 * check). `splitLanguages` takes it apart again.
 */
export const bothLanguages = (zh: string, en: string): string => `${zh} / ${en}`;

/** Takes apart what `bothLanguages` joined; a text in one language only stands for both. */
export function splitLanguages(text: string): Bilingual {
  const at = text.indexOf(' / ');
  return at < 0 ? { zh: text, en: text } : { zh: text.slice(0, at), en: text.slice(at + 3) };
}

/**
 * Language for the command line: `--lang` first, then LC_ALL, LC_MESSAGES, LANG as POSIX orders them.
 * Unset, `C` and `POSIX` say nothing about the reader and give Chinese, like `site.language`.
 */
export function languageFrom(flag: string | undefined, env: Readonly<Record<string, string | undefined>>): Language {
  if (flag === 'zh' || flag === 'en') return flag;
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || '';
  return /^(zh|C|POSIX)?([._@-]|$)/i.test(locale) || /^zh/i.test(locale) ? 'zh' : 'en';
}
