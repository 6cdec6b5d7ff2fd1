import type { Bilingual } from '../../../agent/support/text.ts';

/**
 * The path language of source profiles, its syntax. An expression says where a value lies:
 *
 *     PID-3[5=IdentifyNO].1 | PID-19          first that is not empty
 *     OBR-2 + '-' + OBR-4.1                   joined; nothing when one of the paths is empty
 *     lookup(specimen, OBR-15.1)              through a table of the profile
 *     date(OBR-22)   text(OBX-7)   unit(OBX-6)   observed(OBX-5)   han(PID-5)
 *
 *     path     SEG-field [selector] [.component [.subcomponent]]     all numbers from 1
 *     selector [2] the second repetition · [5=X] the first whose component 5 is X · [5=''] is empty
 *              · [4.2=X] by a subcomponent
 */
export interface PathTerm {
  kind: 'path';
  segment: string;
  field: number;
  selector?: { kind: 'index'; repetition: number } | { kind: 'equals'; component: number; sub?: number; value: string };
  component?: number;
  subcomponent?: number;
  /** Offset in the expression, for error messages. */
  at: number;
}

export type Expression =
  | PathTerm
  | { kind: 'literal'; value: string }
  | { kind: 'call'; name: string; args: Expression[]; at: number }
  | { kind: 'name'; value: string; at: number }
  | { kind: 'first'; options: Expression[] }
  | { kind: 'join'; parts: Expression[] };

/** A slip in an expression: `at` is the offset of the character where it shows. */
export class PathSyntaxError extends Error {
  readonly at: number;
  readonly reason: Bilingual;
  constructor(zh: string, en: string, at: number) {
    super(en);
    this.reason = { zh, en };
    this.at = at;
  }
}

const pathPattern = /([A-Z][A-Z0-9]{2})-(\d{1,3})/y;
const namePattern = /[a-z_][a-z0-9_]*/y;
const selectorPattern = /\[(?:(\d{1,3})|(\d{1,3})(?:\.(\d{1,3}))?=(?:'([^']*)'|([^\]']+)))\]/y;
const partPattern = /\.(\d{1,3})/y;
const literalPattern = /'([^']*)'|"([^"]*)"/y;

/** Parses an expression; throws PathSyntaxError. Names of segments, tables and functions are checked later. */
export function parseExpression(source: string): Expression {
  let at = 0;
  const fail = (zh: string, en: string, where = at): never => {
    throw new PathSyntaxError(zh, en, where);
  };
  const skip = (): void => {
    while (source[at] === ' ' || source[at] === '\n' || source[at] === '\t') at++;
  };
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  const accept = (character: string): boolean => {
    skip();
    if (source[at] !== character) return false;
    at++;
    return true;
  };
  const number = (text: string, where: number): number => {
    const value = Number(text);
    return value >= 1 ? value : fail('序号从 1 算起', 'numbers count from 1', where);
  };

  const first = (): Expression => {
    const options = [join()];
    while (accept('|')) options.push(join());
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: 'first', options };
  };
  const join = (): Expression => {
    const parts = [term()];
    while (accept('+')) parts.push(term());
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: 'join', parts };
  };
  const term = (): Expression => {
    skip();
    const start = at;
    if (accept('(')) {
      const inner = first();
      if (!accept(')')) fail('缺少右括号 )', 'missing )');
      return inner;
    }
    const literal = take(literalPattern);
    if (literal !== null) return { kind: 'literal', value: literal[1] ?? literal[2] ?? '' };
    const path = take(pathPattern);
    if (path !== null) return pathTerm(path, start);
    const name = take(namePattern);
    if (name === null)
      return at >= source.length
        ? fail('缺少路径', 'a path is missing')
        : fail('这里不是路径，路径如 OBR-20 或 PID-3[5=CardNO].1', 'not a path');
    if (!accept('(')) return { kind: 'name', value: name[0], at: start };
    const args = [first()];
    while (accept(',')) args.push(first());
    if (!accept(')')) fail('缺少右括号 )', 'missing )');
    return { kind: 'call', name: name[0], args, at: start };
  };
  const pathTerm = (match: RegExpExecArray, start: number): PathTerm => {
    const result: PathTerm = { kind: 'path', segment: match[1] ?? '', field: number(match[2] ?? '', start), at: start };
    if (source[at] === '[') {
      const where = at;
      const selector = take(selectorPattern);
      if (selector === null) return fail('方括号里应写 [2] 或 [5=X]', 'not a selector: [2] or [5=X]');
      if (selector[1] !== undefined) {
        result.selector = { kind: 'index', repetition: number(selector[1], where) };
      } else {
        result.selector = {
          kind: 'equals',
          component: number(selector[2] ?? '', where),
          ...(selector[3] !== undefined && { sub: number(selector[3], where) }),
          value: (selector[4] ?? selector[5] ?? '').trim(),
        };
      }
    }
    const componentAt = at;
    const component = take(partPattern);
    if (component !== null) {
      result.component = number(component[1] ?? '', componentAt);
      const subcomponent = take(partPattern);
      if (subcomponent !== null) result.subcomponent = number(subcomponent[1] ?? '', componentAt);
    }
    return result;
  };

  const expression = first();
  skip();
  if (at < source.length) {
    if (/[\uff01-\uff5e]/u.test(source)) fail('请用半角字符，如 OBR-3', 'is not ASCII: write it like OBR-3');
    if (/^\s*[a-z][a-z0-9]{2}-/.test(source)) fail('段名要大写，如 OBR-3', 'segments are in capitals, like OBR-3');
    fail('从这里起多余：两个路径之间要写 | 或 +', 'not expected here: between two paths stands | or +');
  }
  return expression;
}
