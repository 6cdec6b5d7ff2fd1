import t from 'tap';
import { keyAt } from '../../../agent/clinical/institutions.ts';
import type { Statement } from '../../../agent/mapping/mapper.ts';
import { placed } from '../../../agent/mapping/place.ts';
import { registers, report } from './statements.ts';

const at = (key: string): string => keyAt('B', key);
const merge: Statement = {
  merge: { kind: 'merge', retired: '1', survivor: '2', patient: registers('2', { name: '张三' }).patient },
};

/** Every key of a statement of institution B, as it is placed where the site is A. */
function keysOf(statement: Statement, numbers: 'own' | 'shared' | undefined, institution = 'B'): string[] {
  const found = placed({ ...statement, institution }, numbers, 'A');
  if ('ok' in found) return [found.ok.reportKey, found.ok.patientKey];
  if ('patient' in found) return [found.patient.patientKey];
  if (!('merge' in found)) throw new Error(JSON.stringify(found));
  const { retired, survivor, patient } = found.merge;
  return [retired, survivor, patient?.patientKey ?? ''];
}

t.test('every key of a statement is its institution’s', async (t) => {
  t.same(keysOf(report({ of: '1' }), 'own'), [at('lis|R1'), at('1')]);
  t.same(keysOf(registers('1', {}), 'own'), [at('1')]);
  t.same(keysOf(merge, 'own'), [at('1'), at('2'), at('2')]);
});

t.test('where numbers are shared only the record is its institution’s', async (t) => {
  t.same(keysOf(report({ of: '1' }), 'shared'), [at('lis|R1'), '1']);
  t.same(keysOf(registers('1', {}), 'shared'), ['1']);
  t.same(keysOf(merge, 'shared'), ['1', '2', '2']);
});

t.test('of the site itself, and where nothing is told apart, keys stay', async (t) => {
  for (const numbers of ['own', 'shared', undefined] as const) {
    t.same(keysOf(report({ of: '1' }), numbers, numbers ? 'A' : 'B'), ['lis|R1', '1']);
    t.same(keysOf(registers('1', {}), numbers, numbers ? 'A' : 'B'), ['1']);
    t.same(keysOf(merge, numbers, numbers ? 'A' : 'B'), ['1', '2', '2']);
  }
});

t.test('what is held or filtered stays so', async (t) => {
  const held: Statement = { held: { code: 'MAP-3008', where: 'report.number' } };
  t.equal(placed(held, 'own', 'A'), held);
  const filtered: Statement = { filtered: 'waveform' };
  t.equal(placed(filtered, 'own', 'A'), filtered);
});
