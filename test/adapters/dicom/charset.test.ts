import iconv from 'iconv-lite';
import t from 'tap';
import { decodeTexts } from '../../../adapters/dicom/charset.ts';
import { encodeGb18030 } from '../../../adapters/hl7v2/gb18030.ts';

const bytes = (text: string | Uint8Array): Uint8Array =>
  typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
/** Decodes one name, or several texts of which the first is a name. */
function decode(label: string | undefined, raw: string | Uint8Array | Array<string | Uint8Array>, forced?: string) {
  const list = Array.isArray(raw) ? raw : [raw];
  return decodeTexts(
    label,
    list.map((text, index) => ({ bytes: bytes(text), isName: index === 0 })),
    forced,
  );
}
const utf8 = (text: string) => new Uint8Array(Buffer.from(text));
const gb = encodeGb18030;
const name = 'Wang^XiaoDong=王^小东';

t.test('labels are known in every spelling seen', async (t) => {
  for (const label of ['ISO_IR 192', 'iso_ir_192', ' ISO IR 192 ', 'ISO-IR-192', 'UTF-8', '\\ISO_IR 192'])
    t.same(decode(label, utf8(name)), { texts: [name], charset: 'utf-8', guessed: false }, label);
  for (const label of [
    'GB18030',
    'gb18030',
    'GBK',
    'GB2312',
    'GB_2312-80',
    'CP936',
    'GB18030\\',
    '\\GBK',
    'GB18030-2000',
  ])
    t.same(decode(label, gb(name)), { texts: [name], charset: 'gb18030', guessed: false }, label);
});

t.test('GB18030 has all of Unicode, and backslashes and carets in its trail bytes', async (t) => {
  for (const text of ['王𠮷^㐀龘', '张^誠', '乗\\腰椎', '郑^珅玘', '昇^乗']) {
    t.same(decode('GB18030', gb(text)).texts, [text]);
    t.same(decode('GBK', gb(text)).texts, [text]);
  }
});

t.test('ISO 2022 IR 58: escapes hold until the next delimiter', async (t) => {
  const esc = '\x1b$)A';
  const part = (text: string) => esc + Buffer.from(gb(text)).toString('latin1');
  const written = `Wang^XiaoDong=${part('王')}^${part('小东')}`;
  for (const label of [
    '\\ISO 2022 IR 58',
    'ISO 2022 IR 6\\ISO 2022 IR 58',
    'ISO_IR 100\\ISO 2022 IR 58',
    'ISO 2022 IR 58',
  ])
    t.match(decode(label, written), { texts: [name], guessed: false }, label);
  t.same(decode('\\ISO 2022 IR 58', ['', `${part('胸部')}CT\\${part('平扫')}`]).texts, ['', '胸部CT\\平扫']);
});

t.test('a writer that escapes once for a whole name is understood, and marked', async (t) => {
  const once = `Wang^XiaoDong=\x1b$)A${Buffer.from(gb('王')).toString('latin1')}^${Buffer.from(gb('小东')).toString('latin1')}`;
  t.same(decode('\\ISO 2022 IR 58', once), { texts: [name], charset: 'iso-2022-ir-58', guessed: true });
  t.same(decode('\\ISO 2022 IR 58', gb(name)), { texts: [name], charset: 'iso-2022-ir-58', guessed: true });
});

t.test('escapes under a label that does not allow them are understood, and marked', async (t) => {
  const written = `\x1b$)A${Buffer.from(gb('王')).toString('latin1')}^San`;
  for (const label of [undefined, 'ISO_IR 100', 'ISO_IR 6', 'GB18030'])
    t.match(decode(label, written), { texts: ['王^San'], guessed: true }, `${label}`);
});

t.test('Japanese: JIS X 0208 and 0212 in the lower half, katakana in the upper', async (t) => {
  // The example names of PS3.5 annex H, as bytes.
  const kanji = '\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B';
  const kana = '\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B';
  t.match(decode('\\ISO 2022 IR 87', `Yamada^Tarou=${kanji}=${kana}`), {
    texts: ['Yamada^Tarou=山田^太郎=やまだ^たろう'],
    charset: 'iso-2022-ir-87',
    guessed: false,
  });
  const half = '\xd4\xcf\xc0\xde^\xc0\xdb\xb3';
  t.match(decode('ISO 2022 IR 13\\ISO 2022 IR 87', `${half}=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J`), {
    texts: ['ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎'],
    guessed: false,
  });
  t.match(decode('ISO_IR 13', half), { texts: ['ﾔﾏﾀﾞ^ﾀﾛｳ'], charset: 'iso-ir-13', guessed: false });
  // JIS X 0212 row 16 cell 1.
  t.same(decode('\\ISO 2022 IR 159', '\x1b$(D0!\x1b(B').texts, ['丂']);
});

t.test('Korean: KS X 1001 in the upper half', async (t) => {
  const korean = iconv.encode('홍', 'euc-kr').toString('latin1');
  t.match(decode('\\ISO 2022 IR 149', `Hong=\x1b$)C${korean}^\x1b$)C${korean}`), {
    texts: ['Hong=홍^홍'],
    guessed: false,
  });
});

t.test('single-byte sets, by label alone and by escape', async (t) => {
  const sets: Array<[number, string, string, string]> = [
    [101, 'B', 'Wałęsa', 'iso-8859-2'],
    [109, 'C', 'ĉapelo', 'iso-8859-3'],
    [110, 'D', 'Rīga', 'iso-8859-4'],
    [144, 'L', 'Люкceмбypг', 'iso-8859-5'],
    [127, 'G', 'قباني', 'iso-8859-6'],
    [126, 'F', 'Διονυσιος', 'iso-8859-7'],
    [138, 'H', 'שרון', 'iso-8859-8'],
    [148, 'M', 'Şahin', 'iso-8859-9'],
    [166, 'T', 'นามสกุล', 'tis-620'],
    [203, 'b', '€uro', 'iso-8859-15'],
  ];
  for (const [number, final, text, charset] of sets) {
    const written = iconv.encode(text, charset);
    const name = `iso-ir-${number}`;
    t.same(decode(`ISO_IR ${number}`, written), { texts: [text], charset: name, guessed: false }, name);
    const escaped = Buffer.concat([Buffer.from(`A^\x1b-${final}`), written]);
    t.match(decode(`\\ISO 2022 IR ${number}`, escaped), { texts: [`A^${text}`], guessed: false }, name);
  }
  t.match(decode('\\ISO 2022 IR 100', 'Buc^\x1b-AJ\xe9r\xf4me'), { texts: ['Buc^Jérôme'], guessed: false });
  for (const label of ['ISO_IR 100', 'ISO 2022 IR 100', 'iso8859-1'])
    t.same(decode(label, 'Buc^J\xe9r\xf4me'), { texts: ['Buc^Jérôme'], charset: 'iso-8859-1', guessed: false });
});

t.test('Chinese under a label that says little is recognised, and marked', async (t) => {
  for (const label of [undefined, '', 'ISO_IR 100', 'ISO_IR 6', '\\ISO 2022 IR 100', 'NONSENSE', 'LOCAL\\']) {
    t.same(decode(label, gb(name)), { texts: [name], charset: 'gb18030', guessed: true }, `${label}`);
    t.same(decode(label, utf8(name)), { texts: [name], charset: 'utf-8', guessed: true }, `${label}`);
  }
  for (const text of ['张^誠', '郑^珅玘', '四川省第二中医医院（东院）', '胸部CT平扫+增强', 'B超检查', '买买提·吐尔逊'])
    t.match(decode('ISO_IR 100', gb(text)), { texts: [text], charset: 'gb18030', guessed: true }, text);
});

t.test('a short name that happens to be valid UTF-8 is read like the rest of its file', async (t) => {
  // 目 is C4 BF in GB18030, which is Ŀ in UTF-8.
  t.same(decode('ISO_IR 100', [gb('目'), gb('四川省第二中医医院')]).texts, ['目', '四川省第二中医医院']);
});

t.test('where texts of one file are in different charsets, each is read by itself', async (t) => {
  const read = decode('ISO_IR 100', [gb('王^小东'), utf8('四川省第二中医医院'), 'Gen\xe8ve']);
  t.same(read.texts, ['王^小东', '四川省第二中医医院', 'Genève']);
  t.equal(read.guessed, true);
});

t.test('European names in Latin-1 are not taken for Chinese', async (t) => {
  const names = ['Müller', 'Conceição', 'CONCEIÇÃO', 'Ångström', 'Jérôme', 'Núñez', 'Þór', 'Weiß'];
  for (const text of names)
    t.same(
      decode('ISO_IR 100', Buffer.from(text, 'latin1')),
      { texts: [text], charset: 'iso-8859-1', guessed: false },
      text,
    );
  t.match(decode(undefined, 'M\xfcller'), { texts: ['Müller'], charset: 'iso-8859-1', guessed: true });
});

t.test('bytes that are not valid as labelled are guessed, or shown as far as they can be', async (t) => {
  t.same(decode('ISO_IR 192', gb(name)), { texts: [name], charset: 'gb18030', guessed: true });
  // Three bytes of UTF-8 are no whole number of characters of GB18030.
  t.same(decode('GB18030', utf8('王 ')), { texts: ['王 '], charset: 'utf-8', guessed: true });
  t.same(decode('ISO_IR 192', 'M\xfcller'), { texts: ['M\ufffdller'], charset: 'utf-8', guessed: true });
  t.same(decode('\\ISO 2022 IR 87', 'A\x1b%Z\xe9'), { texts: ['A%Z\ufffd'], charset: 'iso-2022-ir-87', guessed: true });
});

t.test('a valid label is believed even where a guess could be made', async (t) => {
  t.match(decode('GB18030', gb('目')), { texts: ['目'], guessed: false });
  t.match(decode('ISO_IR 144', gb('王^小东')), { charset: 'iso-ir-144', guessed: false });
});

t.test('a forced charset comes before label and guess, where the bytes are valid in it', async (t) => {
  t.same(decode('ISO_IR 100', gb('昇^乗'), 'GBK'), { texts: ['昇^乗'], charset: 'gb18030', guessed: false });
  t.same(decode('GB18030', utf8(name), 'ISO_IR 192'), { texts: [name], charset: 'utf-8', guessed: false });
  t.same(decode('GB18030', gb(name), 'ISO_IR 192'), { texts: [name], charset: 'gb18030', guessed: false });
  t.same(decode('ISO_IR 192', 'CONCEI\xc7\xc3O', 'ISO_IR 100').texts, ['CONCEIÇÃO']);
});

t.test('ASCII is ASCII under any label', async (t) => {
  for (const label of [undefined, 'ISO_IR 100', 'ISO_IR 192', 'GB18030', '\\ISO 2022 IR 58', 'NONSENSE'])
    t.match(decode(label, 'Zhang^San'), { texts: ['Zhang^San'], guessed: false });
  t.equal(decode(undefined, 'Zhang^San').charset, 'us-ascii');
});

t.test('one value that was no text does not spoil the next', async (t) => {
  for (let turn = 0; turn < 3; turn++) {
    decode('GB18030', '\x81');
    decode('ISO_IR 192', '\xe7\x8e');
    t.same(decode('GB18030', gb('王')).texts, ['王']);
    t.same(decode('ISO_IR 192', utf8('王')).texts, ['王']);
  }
});
