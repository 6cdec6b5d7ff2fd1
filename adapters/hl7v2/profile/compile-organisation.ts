import type { NamedOrganisations } from '../../../agent/registry.ts';
import type { Path } from '../../../config/yaml-document.ts';
import type { PathsAt } from './compile-paths.ts';
import { missingKey } from './path-compile.ts';
import { type Expression, PathSyntaxError, parseExpression } from './path-syntax.ts';
import type { OrganisationRule } from './rules.ts';
import type { Profile } from './schema.ts';

/** Segments that say where a message comes from or belongs. PID names whose number it is, which MRG may say otherwise. */
const organisationSegments = ['MSH', 'EVN', 'PV1', 'PV2'];

/** The rule by which a message belongs to an institution; undefined: everything is the site's own. */
export function compileOrganisation(
  { organisation, tables }: Profile,
  at: PathsAt,
  refuse: (path: Path, error: PathSyntaxError) => void,
): OrganisationRule | undefined {
  if (organisation === undefined) return undefined;
  const { organisations = {} } = tables;
  const { path, patient_numbers: numbers } = organisation;
  const evaluate = at(organisationSegments).required(['organisation', 'path'], path);
  if (Object.keys(organisations).length === 0) refuse(['organisation', 'path'], noTable);
  if (Object.hasOwn(organisations, missingKey) && numbers === 'own' && !isInEvery(path)) {
    refuse(['tables', 'organisations', missingKey], notInEvery);
  }
  if (numbers === 'own' && fallsBack(path, tables)) refuse(['organisation', 'path'], notInMerges);
  return { path: evaluate, codes: new Map(Object.entries(organisations)), numbers };
}

const noTable = new PathSyntaxError(
  '还要在 tables.organisations 里写出每种写法是哪个机构',
  'tables.organisations must say which institution each value is',
  0,
);
const notInEvery = new PathSyntaxError(
  '各机构编号各自独立（own）时，只有路径全在 MSH 里才能写 missing：患者合并等消息没有 PV1，会并到别家患者上',
  'with numbers of their own (own) missing may stand only where the path is in MSH: merges have no PV1, and would reach another institution’s patients',
  0,
);

/** Organisation codes of a checked profile, with where they stand in it; undefined: everything is the site's own. */
export function namedOrganisations(checked: unknown): NamedOrganisations | undefined {
  const { organisation, tables } = checked as Profile;
  if (organisation === undefined) return undefined;
  const entries = Object.entries(tables.organisations ?? {});
  const named = entries.map(([key, code]) => ({ path: ['tables', 'organisations', key], code }));
  return { numbers: organisation.patient_numbers, named };
}

const notInMerges = new PathSyntaxError(
  '各机构编号各自独立（own）时，患者合并等消息没有 PV1，不能用 | 退到 MSH、EVN 或固定文字，也不能查带 missing 的表：会并到别家患者上；ADT 另写一段接入规则（senders）',
  'with numbers of their own (own) a path must not fall back on MSH, EVN or fixed text, nor on a table with missing: merges have no PV1, and would reach another institution’s patients; give the ADT a profile of its own (senders)',
  0,
);

/** Whether it says another thing where the segment it looks at is not there, as in merges. What cannot be parsed is told of elsewhere. */
function fallsBack(source: string, tables: Profile['tables']): boolean {
  const stands = (one: Expression): boolean => {
    if (one.kind === 'path') return one.segment === 'MSH' || one.segment === 'EVN';
    if (one.kind === 'first') return one.options.every(stands);
    if (one.kind === 'join') return one.parts.every(stands);
    return one.kind !== 'call' || one.args.every(stands);
  };
  const falls = (one: Expression): boolean => {
    if (one.kind === 'first') {
      const sure = one.options.findIndex((option) => !stands(option));
      return one.options.some((option, i) => falls(option) || (sure >= 0 && i > sure && stands(option)));
    }
    if (one.kind === 'join') return one.parts.some(falls);
    if (one.kind !== 'call') return false;
    const [table] = one.args;
    const says = table?.kind === 'name' && Object.hasOwn(tables[table.value] ?? {}, missingKey);
    return (says && !one.args.every(stands)) || one.args.some(falls);
  };
  try {
    return falls(parseExpression(source));
  } catch (error) {
    if (error instanceof PathSyntaxError) return false;
    throw error;
  }
}

/** Whether all it looks at stands in every message. What cannot be parsed is told of elsewhere. */
function isInEvery(source: string): boolean {
  const looksOnlyAtMsh = (expression: Expression): boolean => {
    switch (expression.kind) {
      case 'path':
        return expression.segment === 'MSH';
      case 'first':
        return expression.options.every(looksOnlyAtMsh);
      case 'join':
        return expression.parts.every(looksOnlyAtMsh);
      case 'call':
        return expression.args.every(looksOnlyAtMsh);
      default:
        return true;
    }
  };
  try {
    return looksOnlyAtMsh(parseExpression(source));
  } catch (error) {
    if (error instanceof PathSyntaxError) return true;
    throw error;
  }
}
