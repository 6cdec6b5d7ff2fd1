import t from 'tap';
import {
  contradictionOf,
  looksLikeResidentId,
  validResidentId,
} from '../../../../agent/clinical/patients/resident-id.ts';

// An invented number of the region 999999; the check digit is valid.
const male = '99999919900307001X';

t.test('a number holds only with its check digit and a real birth date', (t) => {
  const valid = [...'0123456789X'].map((digit) => `99999919900307001${digit}`).filter((id) => validResidentId(id));
  t.equal(valid.length, 1, 'exactly one check digit fits');
  t.equal(validResidentId('110101199003077213'), '110101199003077213');
  t.equal(validResidentId('110101199003077214'), undefined);
  t.equal(validResidentId('11010119900230721X'), undefined, 'no 30 February');
  for (const text of ['', '无', '110101900307721', '1101011990030772130', 'A10101199003077213']) {
    t.equal(validResidentId(text), undefined, text);
  }
  t.end();
});

t.test('a lower-case x is the same number', (t) => {
  const withX = [...Array(1000).keys()]
    .map((n) => `99999919900307${String(n).padStart(3, '0')}X`)
    .find((id) => validResidentId(id));
  t.equal(validResidentId(withX!.toLowerCase()), withX);
  t.ok(looksLikeResidentId(male.toLowerCase()));
  t.end();
});

t.test('birth date and sex contradict it when they are said and differ', (t) => {
  const id = '110101199003077213'; // 1990-03-07, male
  t.equal(contradictionOf(id, '19900307', '1'), undefined);
  t.equal(contradictionOf(id, '19900308', '1'), 'birthDate');
  t.equal(contradictionOf(id, '19900307', '2'), 'sex');
  t.equal(contradictionOf(id, undefined, undefined), undefined);
  t.equal(contradictionOf(id, undefined, '0'), undefined);
  t.equal(contradictionOf(id, undefined, '9'), undefined);
  t.end();
});
