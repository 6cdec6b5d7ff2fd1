import { normaliseTime } from '../../../agent/clinical/records/time.ts';
import { chineseText, observedText, rawFieldText, unitText } from '../extract/reports/observation-value.ts';
import {
  componentOf,
  explicitNull,
  fieldText,
  type Hl7Message,
  spanComponent,
  spanField,
  spanPiece,
  spanTrimmed,
} from '../parser.ts';
import { type Expression, PathSyntaxError, type PathTerm, parseExpression } from './path-syntax.ts';
import type { Scope } from './scope.ts';
import { fieldCountOf } from './segments.ts';

/** Gives a value, unescaped, or undefined: never an empty string, never an explicit null. */
export type Evaluate = (scope: Scope) => string | undefined;

export interface CompileRules {
  /** Tables of the profile, for lookup(). */
  tables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Segments that have a current one where the expression is used; undefined means any. */
  segments?: readonly string[] | undefined;
}

/** The key of a table that stands for an absent value. */
export const missingKey = 'missing';

/** Parses, checks and compiles an expression. Throws PathSyntaxError. */
export const compileExpression = (source: string, rules: CompileRules): Evaluate =>
  compile(parseExpression(source), rules);

/**
 * Whether an expression looks at an explicit null (`""`): the whole field, or the component it names. The sender deletes
 * then what it does not say otherwise.
 */
export function compileIsNull(source: string): (scope: Scope) => boolean {
  const terms: PathTerm[] = [];
  const collect = (expression: Expression): void => {
    if (expression.kind === 'path') terms.push(expression);
    else if (expression.kind === 'first') expression.options.forEach(collect);
    else if (expression.kind === 'join') expression.parts.forEach(collect);
    else if (expression.kind === 'call') expression.args.forEach(collect);
  };
  collect(parseExpression(source));
  return (scope) =>
    terms.some(({ segment: id, field, component = 1 }) => {
      const segment = scope.current[id];
      if (segment === undefined) return false;
      const text = fieldText(scope.message, segment, field);
      return text === explicitNull || (text !== '' && componentOf(scope.message, text, component) === explicitNull);
    });
}

function compile(expression: Expression, rules: CompileRules): Evaluate {
  switch (expression.kind) {
    case 'literal': {
      const value = expression.value === '' ? undefined : expression.value;
      return (scope) => {
        scope.readFrom = undefined;
        return value;
      };
    }
    case 'name':
      throw new PathSyntaxError(
        `“${expression.value}” 不是路径；文字要加引号`,
        `"${expression.value}" is no path; text goes in quotes`,
        expression.at,
      );
    case 'first': {
      const options = expression.options.map((option) => compile(option, rules));
      return (scope) => {
        for (const option of options) {
          const value = option(scope);
          if (value !== undefined) return value;
        }
        return undefined;
      };
    }
    case 'join': {
      const parts = expression.parts.map((part) => compile(part, rules));
      return (scope) => {
        let joined = '';
        for (const part of parts) {
          const value = part(scope);
          if (value === undefined) return undefined; // half a key would be another key
          joined += value;
        }
        return joined;
      };
    }
    case 'path':
      return compilePath(expression, rules);
    case 'call':
      return compileCall(expression, rules);
  }
}

function compileCall(call: Extract<Expression, { kind: 'call' }>, rules: CompileRules): Evaluate {
  const [first, second] = call.args;
  const expect = (count: number): void => {
    if (call.args.length !== count)
      throw new PathSyntaxError(
        `${call.name}() 括号里应有 ${count} 项`,
        `${call.name}() takes ${count} argument(s)`,
        call.at,
      );
  };
  switch (call.name) {
    case 'lookup': {
      expect(2);
      if (first?.kind !== 'name' || second === undefined) {
        throw new PathSyntaxError(
          'lookup(表名, 路径)：第一项是表名',
          'lookup(table, path): the first is the name of a table',
          call.at,
        );
      }
      const table = Object.hasOwn(rules.tables, first.value) ? rules.tables[first.value] : undefined;
      if (table === undefined)
        throw new PathSyntaxError(
          `tables 里没有“${first.value}”这个表`,
          `there is no table "${first.value}"`,
          first.at,
        );
      const inner = compile(second, rules);
      const map = new Map(Object.entries(table));
      return (scope) => map.get(inner(scope) ?? missingKey);
    }
    case 'date': {
      expect(1);
      if (first === undefined) return () => undefined;
      const inner = compile(first, rules);
      return (scope) => {
        const value = inner(scope);
        return value === undefined ? undefined : normaliseTime(value, scope.timeZone);
      };
    }
    case 'text':
    case 'unit':
    case 'observed':
    case 'han': {
      expect(1);
      if (first?.kind !== 'path' || first.component !== undefined || first.selector !== undefined) {
        throw new PathSyntaxError(
          `${call.name}() 括号里应是整个字段，如 OBX-5`,
          `${call.name}() takes a whole field, for example OBX-5`,
          call.at,
        );
      }
      checkPath(first, rules);
      const read = { text: rawFieldText, unit: unitText, observed: observedText, han: chineseText }[call.name];
      return (scope) => {
        const segment = scope.current[first.segment];
        if (segment === undefined) return undefined;
        const value = read(scope.message, segment, first.field);
        if (value === undefined) return undefined;
        scope.readFrom = first;
        scope.readRepetition = 1;
        return value;
      };
    }
    default:
      throw new PathSyntaxError(
        `没有函数“${call.name}”（有 lookup、date、text、unit、observed、han）`,
        `there is no function "${call.name}" (lookup, date, text, unit, observed, han)`,
        call.at,
      );
  }
}

function checkPath(path: PathTerm, rules: CompileRules): void {
  const count = fieldCountOf(path.segment);
  if (count === undefined)
    throw new PathSyntaxError(`没有 ${path.segment} 段`, `there is no segment ${path.segment}`, path.at);
  if (path.field > count)
    throw new PathSyntaxError(`${path.segment} 只有 ${count} 个字段`, `${path.segment} has ${count} fields`, path.at);
  const { segments } = rules;
  if (segments !== undefined && !segments.includes(path.segment) && !path.segment.startsWith('Z')) {
    const usable = segments.join(' ');
    throw new PathSyntaxError(
      `这里不能用 ${path.segment} 段（可用：${usable}）`,
      `${path.segment} cannot be used here (${usable})`,
      path.at,
    );
  }
}

function compilePath(path: PathTerm, rules: CompileRules): Evaluate {
  checkPath(path, rules);
  const { segment: id, field, selector, component = 1, subcomponent } = path;
  const fixed = selector?.kind === 'index' ? selector.repetition : 1;
  return (scope) => {
    const segment = scope.current[id];
    if (segment === undefined) return undefined;
    const { message } = scope;
    spanField(message, segment, field);
    if (message.span.start === message.span.end) return undefined;
    const repetition = selector?.kind === 'equals' ? spanMatching(message, selector) : fixed;
    if (repetition === 0) return undefined;
    if (selector?.kind !== 'equals') spanPiece(message, message.separators.repetition, repetition);
    spanComponent(message, component, subcomponent);
    const value = spanTrimmed(message);
    if (value === '' || value === explicitNull) return undefined;
    scope.readFrom = path;
    scope.readRepetition = repetition;
    return value;
  };
}

/**
 * Narrows the message's span, a field, to the first repetition that the selector fits.
 * @returns its number, 0 when none does.
 */
function spanMatching(
  message: Hl7Message,
  selector: Extract<NonNullable<PathTerm['selector']>, { kind: 'equals' }>,
): number {
  const { text, separators, span } = message;
  const fieldEnd = span.end;
  let start = span.start;
  for (let number = 1; start <= fieldEnd; number++) {
    let end = start;
    while (end < fieldEnd && text.charCodeAt(end) !== separators.repetition) end++;
    if (end > start) {
      span.start = start;
      span.end = end;
      spanComponent(message, selector.component, selector.sub);
      if (spanTrimmed(message) === selector.value) {
        span.start = start;
        span.end = end;
        return number;
      }
    }
    start = end + 1;
  }
  return 0;
}
