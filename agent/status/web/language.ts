import { computed, signal } from '@preact/signals';
import { errorTable } from '../../support/errors.ts';
import { type Language, languageOf, texts } from '../text.ts';

const storageKey = 'qianzhi.language';

/** What was chosen here before. */
function chosen(): Language | undefined {
  try {
    const stored = localStorage.getItem(storageKey);
    return stored === 'zh' || stored === 'en' ? stored : undefined;
  } catch {
    // Storage may be forbidden; then it is as at the first visit each time.
    return undefined;
  }
}

export const language = signal<Language>(chosen() ?? languageOf(navigator.language));

/** The language that the configuration names holds until somebody chooses another here. */
export function adopt(configured: Language | undefined): void {
  if (configured !== undefined && chosen() === undefined) language.value = configured;
}
/** The catalogue in the chosen language. */
export const text = computed(() => texts[language.value]);

export function switchLanguage(): void {
  language.value = language.value === 'zh' ? 'en' : 'zh';
  try {
    localStorage.setItem(storageKey, language.value);
  } catch {
    // As above.
  }
}

const table: Record<string, (typeof errorTable)[keyof typeof errorTable] | undefined> = { ...errorTable };

/** Title, cause and fix of a code in the chosen language; says so when the code is not known. */
export function explain(code: string): { title: string; cause: string; fix: string } {
  const entry = table[code];
  if (entry !== undefined) return entry[language.value];
  const { unknownCode, unknownCodeCause, unknownCodeFix } = text.value;
  return { title: unknownCode, cause: unknownCodeCause, fix: unknownCodeFix };
}
