import type { Path } from './yaml-document.ts';

export interface EnvironmentUse {
  path: Path;
  /** The text as written, with its `${…}`. */
  written: string;
  /** True when the whole value is one `${…}`, so that it may stand for a number or a truth value. */
  whole: boolean;
}

export interface EnvironmentProblem {
  path: Path;
  kind: 'unset' | 'malformed';
  name: string;
}

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}` in the string values of a parsed configuration, never in
 * keys and never before parsing, so that a value can hold no YAML. As in a shell, `:-` also covers an
 * empty variable; an empty one without default counts as unset. `$${` writes a literal `${`.
 */
export function substituteEnvironment(
  value: unknown,
  env: Readonly<Record<string, string | undefined>>,
): { value: unknown; uses: EnvironmentUse[]; problems: EnvironmentProblem[] } {
  const uses: EnvironmentUse[] = [];
  const problems: EnvironmentProblem[] = [];

  const inString = (text: string, path: Path): string => {
    if (!text.includes('${')) return text;
    const literal = text.split('$${');
    let used = false;
    const parts = literal.map((part) => {
      const replaced = part.replace(reference, (_all, name: string, fallback: string | undefined) => {
        used = true;
        const set = env[name];
        if (set !== undefined && set !== '') return set;
        if (fallback !== undefined) return fallback;
        problems.push({ path, kind: 'unset', name });
        return '';
      });
      if (part.replace(reference, '').includes('${')) problems.push({ path, kind: 'malformed', name: '' });
      return replaced;
    });
    if (used) {
      const whole = literal.length === 1 && text.replace(reference, '') === '' && text.match(reference)?.length === 1;
      uses.push({ path, written: text, whole });
    }
    return parts.join('${');
  };

  const walk = (node: unknown, path: Path): unknown => {
    if (typeof node === 'string') return inString(node, path);
    if (Array.isArray(node)) return node.map((item, index) => walk(item, [...path, index]));
    if (node !== null && typeof node === 'object') {
      const copy: Record<string, unknown> = {};
      for (const [key, item] of Object.entries(node)) {
        Object.defineProperty(copy, key, {
          value: walk(item, [...path, key]),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return copy;
    }
    return node;
  };
  return { value: walk(value, []), uses, problems };
}
