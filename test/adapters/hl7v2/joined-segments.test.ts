import t from 'tap';
import { encodeText } from '../../../adapters/hl7v2/charset.ts';
import { separateJoined } from '../../../adapters/hl7v2/joined-segments.ts';
import { readMsh } from '../../../adapters/hl7v2/msh.ts';
import { endsInContinuation, isXml } from '../../../adapters/hl7v2/odd-payloads.ts';

const msh = 'MSH|^~\\&|PEIS|H|||2026||ORU^R01|7|P|2.4';

t.test('segments joined by blanks get lines of their own; Z segments too', async (t) => {
  t.equal(
    separateJoined(`${msh}  PID|1|张  三  OBX|1|ST|a  b|see  ABC|  ZMG|1  NTE|2\r`),
    `${msh}\rPID|1|张  三\rOBX|1|ST|a  b|see  ABC|\rZMG|1\rNTE|2\r`,
  );
  t.equal(separateJoined(`\ufeff ${msh.replaceAll('|', '$')}  PID$1`), `\ufeff ${msh.replaceAll('|', '$')}\rPID$1`);
  for (const text of [
    `${msh}\rPID|1\rNTE|1||a  PID|b\r`,
    `${msh.replace('PEIS', 'X  PID')}\rPID|1\r`,
    'PID|1  OBX|1',
    '',
  ])
    t.equal(separateJoined(text), text, 'MSH is not joined: a text stays a text');
});

t.test('in GB18030 a trail byte is no separator of a joined segment', async (t) => {
  const text = `${msh.replace('PEIS', '珅玘検東')}  PID|1|珅`;
  const read = readMsh(encodeText(text, 'GB18030'));
  t.equal(Buffer.from(read?.version ?? []).toString(), '2.4');
  t.equal(read?.isJoined, true);
});

t.test('point 43: DSC last with a pointer says that more comes', async (t) => {
  const ends = (text: string, field = '|') => endsInContinuation(new TextEncoder().encode(text), field);
  for (const text of ['PID|1\rDSC|p', 'PID|1\nDSC|p|F\r\n\r\n \0', 'DSC|p', 'PID|1  DSC|p', 'PID|1\r  dsc|p'])
    t.ok(ends(text), text);
  t.ok(ends('PID$1\rDSC$p\r', '$'));
  for (const text of [
    '',
    'DSC',
    'PID|1\rDSC|\r',
    'PID|1\rDSC||F\r',
    'DSC|p\rPID|1\r',
    'NTE|1||DSC|p',
    'DSCX|p',
    'DSC^p',
  ])
    t.notOk(ends(text), text);
});

t.test('point 51: XML begins with <, after a BOM and blanks', async (t) => {
  const is = (text: string) => isXml(new TextEncoder().encode(text));
  for (const text of ['<a/>', ' \r\n\t<?xml?>', '\ufeff\n<a/>']) t.ok(is(text));
  for (const text of ['', ' ', msh, 'a<b', '\ufeff']) t.notOk(is(text));
});
