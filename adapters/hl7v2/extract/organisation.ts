import type { Statement } from '../../../agent/mapping/mapper.ts';
import { missingKey } from '../profile/path-compile.ts';
import { hold, type Told } from './message-context.ts';

type Organisation = { code: string | undefined } | 'unknown';

/** Which institution a patient of a message is told of by: a code of the table, none said, or one that nobody listed. */
function organisationOf({ x, segments }: Told): Organisation {
  const rule = x.rules.organisation;
  if (rule === undefined) return { code: undefined };
  x.scope.current = segments;
  const said = rule.path(x.scope);
  if (said === missingKey) return 'unknown';
  const code = rule.codes.get(said ?? missingKey);
  return code === undefined && said !== undefined ? 'unknown' : { code };
}

/**
 * What a message says of one patient, as said at the institution that the profile's rule finds. An institution that is in
 * no table is nobody's: held (MAP-3040). Where none is said, mapping holds what needs one.
 */
export function atOrganisation(told: Told, statements: readonly Statement[]): Statement[] {
  if (told.x.rules.organisation === undefined) return [...statements];
  const organisation = organisationOf(told);
  const held = hold({ code: 'MAP-3040', where: 'organisation' });
  return statements.map((statement): Statement => {
    if ('held' in statement || 'filtered' in statement) return statement;
    if (organisation === 'unknown') return held;
    const { code } = organisation;
    return code === undefined ? statement : { ...statement, institution: code };
  });
}

/** Whether two numbers of a message are of one institution, or of several that share them: else they are nothing to each other. */
export function areOfOne(first: Told, second: Told): boolean {
  if (first.x.rules.organisation?.numbers !== 'own') return true;
  const [one, other] = [organisationOf(first), organisationOf(second)];
  return one === 'unknown' || other === 'unknown' ? one === other : one.code === other.code;
}
