import t from 'tap';
import { contradicting, personKey, personOf } from '../../../agent/matching/person.ts';

const wang = { name: '王小东', sex: '1', birthDate: '19700101' };

t.test('one difference in name, sex or birth date is a contradiction', (t) => {
  t.equal(contradicting(wang, wang), undefined);
  t.equal(contradicting(wang, { ...wang, name: '王晓东' }), 'name');
  t.equal(contradicting(wang, { ...wang, sex: '2' }), 'sex');
  t.equal(contradicting(wang, { ...wang, birthDate: '19700102' }), 'birthDate');
  t.equal(contradicting(wang, {}), undefined, 'what is not said contradicts nothing');
  t.end();
});

t.test('names are the same in all the ways they are written, and another writing cannot be compared', (t) => {
  const same = (a: string, b: string) => contradicting({ name: a }, { name: b }) === undefined;
  for (const [a, b] of [
    ['王 小东', '王小东'],
    ['王^小东', '王小东'],
    ['阿依古丽·买买提', '阿依古丽•买买提'],
    ['ZHANG^JIN', 'Zhang Jin'],
    ['Jin Zhang', 'ZHANG JIN'],
    ['ZHANG XIAO DONG', 'ZhangXiaodong'],
    ["O'Brien^Ann", 'O’BRIEN ANN'],
    ['张晋', 'Zhang Jin'],
    ['张晋', 'Zhang Jin 张晋'],
    ['Li Shen', '李珅'],
    ['王^小东 Wang^XiaoDong', '王小东'],
    ['王丽之子Ａ', '王丽之子a'],
    ['无名氏０１', '无名氏 01'],
    ['BABY1 WANG', 'Wang^Baby 1'],
    ['王丽之子1', '王丽之子'],
  ] as const) {
    t.ok(same(a, b), `${a} and ${b}`);
    t.ok(same(b, a), `${b} and ${a}`);
  }
  for (const [a, b] of [
    ['王小东', '王小冬'],
    ['王小', '王小东'],
    ['Zhang Jin', 'Zhang Jing'],
    ['张晋 Zhang Jin', '李珅 Zhang Jin'],
    ['王\ue863', '王\ue864'],
  ] as const) {
    t.notOk(same(a, b), `${a} and ${b}`);
  }
  t.end();
});

t.test('双胞胎与无名氏 Twins and unknown people are told apart by what stands behind their name', (t) => {
  for (const [a, b] of [
    ['王丽之子1', '王丽之子2'],
    ['王丽之子１', '王丽之子２'],
    ['王丽之子①', '王丽之子②'],
    ['王丽之子A', '王丽之子B'],
    ['王丽之子Ａ', '王丽之子Ｂ'],
    ['王丽之子Ⅰ', '王丽之子Ⅱ'],
    ['无名氏01', '无名氏02'],
    ['无名氏01', 'WU MING SHI 02'],
    ['BABY1 WANG', 'BABY2 WANG'],
    ['BABY A WANG', 'BABY B WANG'],
  ] as const) {
    t.equal(contradicting({ name: a }, { name: b }), 'name', `${a} and ${b}`);
    t.equal(contradicting({ name: b }, { name: a }), 'name', `${b} and ${a}`);
  }
  const key = (name: string) => personKey({ ...wang, name });
  for (const [a, b] of [
    ['王丽之子1', '王丽之子2'],
    ['王丽之子Ａ', '王丽之子Ｂ'],
    ['无名氏01', '无名氏02'],
    ['BABY1 WANG', 'BABY2 WANG'],
  ] as const) {
    t.not(key(a), key(b), `${a} and ${b} are not suggested for each other`);
  }
  t.equal(key('王丽之子１'), key('王丽 之子1'));
  t.equal(key('王^小东 Wang^XiaoDong'), key('王小东'), 'pinyin beside the characters says nothing more');
  t.end();
});

t.test('a birth date of less than a day says what it says', (t) => {
  t.equal(contradicting({ birthDate: '1970' }, { birthDate: '19700101' }), undefined);
  t.equal(contradicting({ birthDate: '1971' }, { birthDate: '19700101' }), 'birthDate');
  t.equal(contradicting({ birthDate: '' }, { birthDate: '19700101' }), undefined);
  t.end();
});

t.test('sex counts where it is mapped to one of the two', (t) => {
  const sexOf = (code: string | undefined) =>
    personOf({
      identifiers: [],
      sex: { code: 'X', ...(code && { standard: { code, name: '', table: 'sex' } }) },
    }).sex;
  t.same(['1', '2', '0', '9', undefined].map(sexOf), ['1', '2', undefined, undefined, undefined]);
  t.end();
});

t.test('people are searched by name and whole birth date', (t) => {
  t.equal(personKey(wang), personKey({ ...wang, name: '王 小东', sex: '2' }));
  t.not(personKey(wang), personKey({ ...wang, name: 'Wang Xiaodong' }));
  t.equal(personKey({ name: '王小东' }), undefined);
  t.equal(personKey({ name: '王小东', birthDate: '1970' }), undefined);
  t.equal(personKey({ name: ' ^ ', birthDate: '19700101' }), undefined);
  t.end();
});
