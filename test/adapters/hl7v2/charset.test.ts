import fc from 'fast-check';
import iconv from 'iconv-lite';
import t from 'tap';
import { decodeMessage, encodeText } from '../../../adapters/hl7v2/charset.ts';
import { charsetOfLabel } from '../../../adapters/hl7v2/charset-labels.ts';
import { gb18030CharacterLength } from '../../../adapters/hl7v2/gb18030.ts';

const message = (label: string, name = '张三') => `MSH|^~\\&|LIS||||||ORU^R01|1|P|2.4||||||${label}\rPID|||||${name}\r`;

t.test('labels are known in every spelling seen', async (t) => {
  for (const label of ['UNICODE', 'Unicode', 'UNICODE UTF-8', 'UTF-8', 'utf8']) t.equal(charsetOfLabel(label), 'UTF-8');
  for (const label of ['GBK', 'gbk', 'GB2312', 'GB 18030-2000', 'GB18030', 'gb_2312-80', 'cp936'])
    t.equal(charsetOfLabel(label), 'GB18030', label);
  t.equal(charsetOfLabel('8859/1'), 'ISO-8859-1');
  t.equal(charsetOfLabel('ASCII'), 'US-ASCII');
  t.equal(charsetOfLabel('JONES'), undefined);
});

t.test('point 50: MSH-18 first', async (t) => {
  t.match(decodeMessage(encodeText(message('GBK'), 'GB18030')), {
    text: message('GBK'),
    charset: 'GB18030',
    guessed: false,
  });
  t.match(decodeMessage(encodeText(message('UNICODE'), 'UTF-8')), { charset: 'UTF-8', guessed: false });
  const latin = message('8859/1', 'Émile');
  t.match(decodeMessage(encodeText(latin, 'ISO-8859-1')), { text: latin, charset: 'ISO-8859-1' });
});

t.test('a declared charset that does not decode is passed over', async (t) => {
  t.match(decodeMessage(encodeText(message('UTF-8'), 'GB18030')), {
    text: message('UTF-8'),
    charset: 'GB18030',
    guessed: true,
  });
  t.match(decodeMessage(encodeText(message('ASCII'), 'UTF-8')), {
    text: message('ASCII'),
    charset: 'UTF-8',
    guessed: true,
  });
  t.match(decodeMessage(encodeText(message('ASCII~GBK'), 'GB18030')), { charset: 'GB18030', guessed: false });
});

t.test('then the profile, then strict UTF-8, then GB18030', async (t) => {
  const latin = encodeText(message('', 'Émile|é'), 'ISO-8859-1');
  t.match(decodeMessage(latin, '8859/1'), { text: message('', 'Émile|é'), guessed: false });
  t.match(decodeMessage(encodeText(message(''), 'UTF-8')), { text: message(''), charset: 'UTF-8', guessed: true });
  const chinese = message('', '珅玘，东质达诊锦标𠀀');
  t.match(decodeMessage(encodeText(chinese, 'GB18030')), { text: chinese, charset: 'GB18030', guessed: true });
  t.match(
    decodeMessage(encodeText(message('', 'Zhang'), 'UTF-8')),
    { charset: 'UTF-8', guessed: false },
    'ASCII is no guess',
  );
});

t.test('point 50: GB18030 that nobody named is taken for it only where it is plainly Chinese', async (t) => {
  for (const label of ['', 'UNICODE UTF-8', 'ASCII']) {
    for (const name of ['Müller^Jörg', 'MÜLLER^JÖRG', 'Señor^François', 'Åse', 'Grün 10 µg']) {
      const raw = encodeText(message(label, name), 'ISO-8859-1');
      t.ok(new TextDecoder('gb18030', { fatal: true }).decode(raw), 'which it could be');
      t.same(decodeMessage(raw), { ok: false, code: 'MLLP-2006' }, `${label} ${name}`);
    }
    for (const name of ['王喆', '李珅', '张䶮', '李昇叡', '李玥', '欧阳', '王小东']) {
      const raw = encodeText(message(label, name), 'GB18030');
      t.match(decodeMessage(raw), { ok: true, text: message(label, name), guessed: true }, `${label} ${name}`);
    }
    t.match(decodeMessage(encodeText(message(label, '珅玘'), 'GB18030')), { ok: false }, 'too little to tell');
    t.match(decodeMessage(encodeText(message(label, '珅玘'), 'GB18030'), 'GBK'), { ok: true }, 'the profile says so');
  }
});

t.test('the byte order mark is not part of the text', async (t) => {
  t.match(decodeMessage(encodeText(`\ufeff${message('')}`, 'UTF-8')), { text: message(''), charset: 'UTF-8' });
  t.match(
    decodeMessage(encodeText(`\ufeff${message('GBK')}`, 'UTF-8')),
    { text: message('GBK'), charset: 'UTF-8' },
    'it outweighs a label',
  );
  t.match(decodeMessage(encodeText(`\ufeff${message('GBK')}`, 'GB18030')), {
    text: message('GBK'),
    charset: 'GB18030',
  });
  for (const charset of ['UTF-16LE', 'UTF-16BE'] as const)
    for (const mark of ['\ufeff', ''])
      t.match(decodeMessage(encodeText(mark + message(''), charset)), { text: message(''), charset });
});

t.test('what no charset fits is MLLP-2006', async (t) => {
  const raw = Buffer.concat([Buffer.from(message('UTF-8')), Buffer.of(0xff, 0xff, 0x0d)]);
  t.same(decodeMessage(raw), { ok: false, code: 'MLLP-2006' });
});

t.test(
  'GB18030 encodes every BMP character to bytes that decode to it, as iconv-lite does but for 18 known codes',
  async (t) => {
    // reference/storage-and-delivery.md §7: the platform follows the 2022 assignment, iconv-lite private use.
    const decoder = new TextDecoder('gb18030', { fatal: true });
    const different: number[] = [];
    const unencodable: number[] = [];
    for (let code = 0; code < 0x1_0000; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const character = String.fromCharCode(code);
      const encoded = encodeText(character, 'GB18030');
      if (code !== 0x3f && encoded.length === 1 && encoded[0] === 0x3f) unencodable.push(code);
      else if (code !== 0xfeff && decoder.decode(encoded) !== character)
        t.fail(`U+${code.toString(16)} does not read back`);
      if (!Buffer.from(encoded).equals(iconv.encode(character, 'gb18030'))) different.push(code);
    }
    const standard = [...Array(7).keys()]
      .map((n) => 0xfe10 + n)
      .concat(
        [0xfe17, 0xfe18, 0xfe19],
        [...Array(8).keys()].map((n) => 0x9fb4 + n),
      );
    const vacated = different.filter((code) => code >= 0xe000 && code <= 0xf8ff);
    t.same(different.filter((code) => code < 0xe000 || code > 0xf8ff).sort(), standard.sort(), 'the 18 codes');
    t.comment(
      `private use encoded otherwise: ${vacated.map((c) => c.toString(16))}; without a code: ${unencodable.map((c) => c.toString(16))}`,
    );
    t.ok(
      unencodable.every((code) => code >= 0xe000 && code <= 0xf8ff),
      'only private use may lack a code',
    );
  },
);

t.test('GB18030 round trip of any text, and character lengths agree', async (t) => {
  const property = fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), (one, two) => {
    for (const text of [one, two]) {
      if (!text.isWellFormed() || /[\ue000-\uf8ff\ufeff]/.test(text)) continue;
      const encoded = encodeText(text, 'GB18030');
      if (new TextDecoder('gb18030', { fatal: true }).decode(encoded) !== text) return false;
      let characters = 0;
      for (let at = 0; at < encoded.length; at += gb18030CharacterLength(encoded, at)) characters += 1;
      if (characters !== [...text].length) return false;
    }
    return true;
  });
  fc.assert(property, { numRuns: 500 });
  t.pass('held');
});

t.test('what a charset cannot hold becomes ?', async (t) => {
  t.equal(Buffer.from(encodeText('A张é', 'ISO-8859-1')).toString('latin1'), 'A?é');
  t.equal(Buffer.from(encodeText('A张é', 'US-ASCII')).toString('latin1'), 'A??');
  t.equal(Buffer.from(encodeText('\ud800', 'GB18030')).toString('latin1'), '?');
});
