import fc from 'fast-check';
import t from 'tap';
import {
  componentOf,
  explicitNull,
  fieldText,
  parseMessage,
  repetitionsOf,
  valueAt,
} from '../../../adapters/hl7v2/parser.ts';

const head = 'MSH|^~\\&|LIS|H|E|R|20240520||ORU^R01|1|P|2.4';
const parse = (text: string, charset?: string) => {
  const message = parseMessage(text, charset);
  if (message === undefined) throw new Error('not parsed');
  const value = (id: string, field: number, repetition?: number, component?: number, sub?: number) => {
    const segment = message.segments.find((s) => s.id === id);
    return segment === undefined ? undefined : valueAt(message, segment, field, repetition, component, sub);
  };
  return { message, value, ids: message.segments.map((s) => s.id) };
};

t.test('segments end with CR, LF, CRLF or any mixture; blank lines, leading spaces and BOM do not matter', (t) => {
  for (const [a, b] of [
    ['\r', '\r'],
    ['\n', '\n'],
    ['\r\n', '\r\n'],
    ['\r', '\r\n\r\n'],
    ['\n\r', '\n  \n'],
  ]) {
    const { ids, value } = parse(`\uFEFF  ${head}${a}  PID|1|P1${b}\uFEFFobx|1|NM|K||4.2`);
    t.same(ids, ['MSH', 'PID', 'OBX'], JSON.stringify([a, b]));
    t.equal(value('OBX', 5), '4.2');
  }
  t.end();
});

t.test('text that is no HL7 gives nothing', (t) => {
  for (const text of ['', 'MSH', 'PID|1', '<xml/>', 'hello MSH|', 'MSHX^~\\&', 'MSH\r']) {
    t.equal(parseMessage(text), undefined, JSON.stringify(text));
  }
  t.end();
});

t.test('MSH-1 and MSH-2 count as fields', (t) => {
  const { value } = parse(head);
  t.equal(value('MSH', 1), '|');
  t.equal(value('MSH', 2), '^~\\&');
  t.equal(value('MSH', 3), 'LIS');
  t.equal(value('MSH', 9, 1, 2), 'R01');
  t.equal(value('MSH', 40), '');
  t.end();
});

t.test('delimiters come from the message', (t) => {
  const { value, message } = parse('MSH$%*!@$A%B\rPID$1$$a%b@c*d!F!e');
  t.same(message.delimiters, {
    field: '$',
    component: '%',
    repetition: '*',
    escape: '!',
    subcomponent: '@',
    truncation: '',
  });
  t.equal(value('PID', 3, 1, 2, 2), 'c');
  t.equal(value('PID', 3, 2), 'd$e');
  t.end();
});

t.test('a missing escape character leaves backslashes alone', (t) => {
  const { value, message } = parse('MSH|^~&|LIS\rNTE|1||a\\S\\b&c');
  t.equal(message.delimiters.escape, '');
  t.equal(message.delimiters.subcomponent, '&');
  t.equal(value('NTE', 3), 'a\\S\\b&c');
  t.equal(value('NTE', 3, 1, 1, 2), 'c');
  t.end();
});

t.test('the truncation character of HL7 2.7 is no escape character', (t) => {
  const { value, message } = parse('MSH|^~\\&#|LIS\rNTE|1||cut#');
  t.equal(message.delimiters.truncation, '#');
  t.equal(value('NTE', 3), 'cut#');
  t.end();
});

t.test('point 49: escapes are resolved after splitting', (t) => {
  const { value } = parse(`${head}\rOBX|1|ST|A^10\\S\\9/L~x\\R\\y||a\\F\\b\\T\\c\\E\\d`);
  t.equal(value('OBX', 3, 1, 2), '10^9/L');
  t.equal(value('OBX', 3, 2), 'x~y');
  t.equal(value('OBX', 5), 'a|b&c\\d');
  t.end();
});

t.test('point 49: line breaks and hexadecimal escapes', (t) => {
  const { value } = parse(`${head}\rNTE|1||肺\\X0D\\\\X0A\\余\\.br\\末\\.sp2\\x\\X41\\`);
  t.equal(value('NTE', 3), '肺\r\n余\n末\n\nxA');
  t.end();
});

t.test('hexadecimal escapes are text in the charset of the message', (t) => {
  const gbk = parse(`${head}\rNTE|1||\\XB0D7\\ \\XB0\\\\XD7\\`, 'gb18030');
  t.equal(gbk.value('NTE', 3), '白 白');
  const utf8 = parse(`${head}\rNTE|1||\\XE799BD\\ \\XB0D7\\`, 'utf-8');
  t.equal(utf8.value('NTE', 3), '白 \\XB0D7\\', 'what is no text in it stays as sent');
  t.end();
});

t.test('point 49: malformed and unknown escapes stay literally; highlighting goes, its text stays', (t) => {
  const { value } = parse(`${head}\rNTE|1||C:\\dir \\Q\\ \\X4\\ \\Zabc\\ \\|\\H\\bold\\N\\|a\\b\\F\\c`);
  t.equal(value('NTE', 3), 'C:\\dir \\Q\\ \\X4\\ \\Zabc\\ \\');
  t.equal(value('NTE', 4), 'bold');
  t.equal(value('NTE', 5), 'a\\b|c');
  t.end();
});

t.test('point 49: explicit null is not the same as empty', (t) => {
  const { value } = parse(`${head}\rPID|1|""||`);
  t.equal(value('PID', 2), explicitNull);
  t.equal(value('PID', 3), '');
  t.end();
});

t.test('repetitions, components and absent ones', (t) => {
  const { message, value } = parse(`${head}\rPID|1||a^b&c~~d`);
  const pid = message.segments[1]!;
  t.same(repetitionsOf(message, fieldText(message, pid, 3)), ['a^b&c', '', 'd']);
  t.equal(value('PID', 3, 1, 2), 'b&c');
  t.equal(value('PID', 3, 1, 2, 1), 'b');
  t.equal(value('PID', 3, 2), '');
  t.equal(value('PID', 3, 3, 1), 'd');
  t.equal(value('PID', 3, 4), '');
  t.equal(value('PID', 3, 1, 9), '');
  t.end();
});

t.test('a line that is no segment continues the one before, with its line break', (t) => {
  const { ids, value } = parse(`${head}\rOBX|1|TX|A||first\nsecond\n\nWBC\nwbc|x||||||F\rNTE|1||n`);
  t.same(ids, ['MSH', 'OBX', 'NTE']);
  t.equal(value('OBX', 5), 'first\nsecond\n\nWBC\nwbc');
  t.end();
});

t.test('a bare segment id is an empty segment, and control characters stay in values', (t) => {
  const { ids, value } = parse(`${head}\rPV1\rOBX|1|ST|A||a\0b\u0007`);
  t.same(ids, ['MSH', 'PV1', 'OBX']);
  t.equal(value('OBX', 5), 'a\0b\u0007');
  t.end();
});

t.test('framing bytes left in a file do not matter', (t) => {
  t.same(parse(`\u000b${head}\rPID|1\r\u001c\r`).ids, ['MSH', 'PID']);
  t.end();
});

t.test('a value is the same whether it is looked up or cut out of its field piece by piece', (t) => {
  const part = fc.constantFrom(
    'a',
    '1',
    '中',
    '|',
    '^',
    '~',
    '&',
    '\\',
    '\\T\\',
    '\\X41\\',
    '\\.br\\',
    '""',
    ' ',
    '\n|',
  );
  const position = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 40 }),
      fc.constantFrom('^~\\&', '^~&', '^', '~^\\&', '^^^^', '|~\\&'),
      fc.array(fc.tuple(position, position, position, fc.option(position, { nil: undefined })), { minLength: 1 }),
      (parts, encoding, places) => {
        const message = parseMessage(`MSH|${encoding}|A\rOBX|${parts.join('')}`);
        const obx = message?.segments[1];
        if (message === undefined || obx === undefined) return;
        for (const [field, repetition, component, subcomponent] of places) {
          const whole = repetitionsOf(message, fieldText(message, obx, field))[repetition - 1] ?? '';
          t.equal(
            valueAt(message, obx, field, repetition, component, subcomponent),
            componentOf(message, whole, component, subcomponent),
          );
        }
      },
    ),
  );
  t.end();
});
