import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseMessage } from '../../../../adapters/hl7v2/parser.ts';
import { checkProfile, compileProfile } from '../../../../adapters/hl7v2/profile/check.ts';
import { compileExpression } from '../../../../adapters/hl7v2/profile/path-compile.ts';
import { lastRead, type Scope } from '../../../../adapters/hl7v2/profile/scope.ts';
import { ConfigError } from '../../../../config/config-error.ts';

const defaultProfile = readFileSync(new URL('../../../../config/dialects/cn-default.yaml', import.meta.url), 'utf8');

function scopeOf(segments: string): Scope {
  const message = parseMessage(`MSH|^~\\&|LIS\r${segments}`)!;
  return {
    message,
    timeZone: 'Asia/Shanghai',
    current: Object.fromEntries(message.segments.map((s) => [s.id, s])),
    readFrom: undefined,
    readRepetition: 1,
  };
}

const tables = { specimen: { '04': 'blood', missing: 'unknown' }, plain: { a: 'b' } };
const evaluate = (expression: string, segments: string): [string | undefined, string] => {
  const scope = scopeOf(segments);
  return [compileExpression(expression, { tables })(scope), lastRead(scope)];
};
const value = (expression: string, segments: string): string | undefined => evaluate(expression, segments)[0];

t.test('a path names field, component and subcomponent, and says where it read', (t) => {
  t.same(evaluate('PID-2', 'PID|1|P1^x'), ['P1', 'PID-2']);
  t.same(evaluate('PV1-3.4', 'PV1|1|I|W^^12^0301'), ['0301', 'PV1-3.4']);
  t.same(evaluate('OBR-32.1.2', 'OBR|1|||||||||||||||||||||||||||||||D&Li'), ['Li', 'OBR-32.1.2']);
  t.equal(value('PID-2', 'PV1|1'), undefined);
  t.equal(value('PID-2', 'PID|1|  '), undefined);
  t.end();
});

t.test('a repetition is chosen by its number or by a component', (t) => {
  const pid = 'PID|1||A1^^^^CardNO~~ 110 ^^^^IdentifyNO~B^^^&SFZH~C';
  t.same(evaluate('PID-3[5=IdentifyNO].1', pid), ['110', 'PID-3[3].1']);
  t.same(evaluate('PID-3[4.2=SFZH].1', pid), ['B', 'PID-3[4].1']);
  t.same(evaluate("PID-3[5=''].1", pid), ['B', 'PID-3[4].1']);
  t.same(evaluate('PID-3[5].1', pid), ['C', 'PID-3[5].1']);
  t.equal(value('PID-3[2].1', pid), undefined);
  t.equal(value('PID-3[5=MR].1', pid), undefined);
  t.end();
});

t.test('the first that is not empty counts; an explicit null is no value', (t) => {
  t.same(evaluate('PID-2 | PID-3 | PID-4', 'PID|1|""||x'), ['x', 'PID-4']);
  t.equal(value("PID-2 | 'none'", 'PID|1'), 'none');
  t.end();
});

t.test('blanks around a value go, also those that escapes stand for; the delimiters can be read', (t) => {
  t.equal(value('PID-2', 'PID|1|\\.sk6\\'), undefined);
  t.equal(value('PID-2', 'PID|1|\u3000A1\\X20\\'), 'A1');
  t.equal(value('PID-2', 'PID|1|\\S\\x y\\S\\'), '^x y^');
  t.equal(value('MSH-1', 'PID|1'), '|');
  t.equal(value('MSH-3', 'PID|1'), 'LIS');
  t.end();
});

t.test('joining needs every part', (t) => {
  t.equal(value("OBR-20 | OBR-2 + '-' + OBR-4.1", 'OBR|1|A7||GLU^x'), 'A7-GLU');
  t.equal(value("OBR-2 + '-' + OBR-4.1", 'OBR|1|||GLU'), undefined);
  t.equal(value("(OBR-2 | OBR-3) + '/' + OBR-4", 'OBR|1||S|G'), 'S/G');
  t.end();
});

t.test('functions look up, normalise dates and read whole fields', (t) => {
  t.equal(value('lookup(specimen, OBR-15.1)', 'OBR|1|||||||||||||||'), 'unknown');
  t.equal(value('lookup(plain, OBR-2)', 'OBR|1|z'), undefined);
  t.equal(value('lookup(plain, OBR-2)', 'OBR|1|a'), 'b');
  t.equal(value('date(OBR-7)', 'OBR|1||||||20240520002000+0000'), '20240520082000');
  t.equal(value('date(OBR-7)', 'OBR|1||||||soon'), undefined);
  t.equal(value('text(OBX-7)', 'OBX|1|NM|||||3.5~9.5'), '3.5~9.5');
  t.equal(value('unit(OBX-6)', 'OBX|1|NM||||10^9/L'), '10^9/L');
  t.equal(value('unit(OBX-6)', 'OBX|1|NM||||10\\S\\9/L'), '10^9/L');
  t.equal(value('unit(OBX-6)', 'OBX|1|NM||||mg/dL^milligram^UCUM'), 'mg/dL');
  t.equal(value('unit(OBX-6)', 'OBX|1|NM||||^mmol/L'), 'mmol/L');
  t.end();
});

t.test('the observed value follows its type', (t) => {
  const observed = (type: string, text: string) => value('observed(OBX-5)', `OBX|1|${type}|A||${text}`);
  t.equal(observed('NM', ' 4.20 '), '4.20');
  t.equal(observed('ST', '1.2*10^3'), '1.2*10^3');
  t.equal(observed('ST', 'a~b'), 'a~b');
  t.equal(observed('', '>5000'), '>5000');
  t.equal(observed('TX', 'line 1~line 2'), 'line 1\nline 2');
  t.equal(observed('FT', 'a\\.br\\b'), 'a\nb');
  t.equal(observed('CWE', '260385009^Negative^SCT'), 'Negative');
  t.equal(observed('CE', '+^'), '+');
  t.equal(observed('CE', '^^^POS^阳性^L'), '阳性', 'an alternate where there is nothing else');
  t.equal(observed('CWE', '^^^POS'), 'POS');
  t.equal(observed('SN', '>^100'), '>100');
  t.equal(observed('SN', '^1^:^128'), '1:128');
  t.equal(observed('ED', '^AP^^Base64^AAAA'), undefined);
  t.equal(observed('ST', '""'), undefined);
  t.equal(observed('ST', ' 阴性(-) '), ' 阴性(-) ', 'text stays exactly as sent');
  t.end();
});

t.test('slips in a path are found when the profile is loaded', (t) => {
  const slips: Array<[string, string, number]> = [
    ['PIX-3', 'no segment PIX', 0],
    ['PID-0', 'count from 1', 0],
    ['PID-99', 'PID has 45 fields', 0],
    ['PID-3.0', 'count from 1', 5],
    ['PID-3[x]', 'not a selector', 5],
    ['PID-2 | ', 'a path is missing', 8],
    ['PID-2 PID-3', 'not expected', 6],
    ['lookup(nowhere, PID-2)', 'no table "nowhere"', 7],
    ["lookup('x', PID-2)", 'name of a table', 0],
    ['upper(PID-2)', 'no function "upper"', 0],
    ['text(PID-2.1)', 'whole field', 0],
    ['date(PID-2', 'missing )', 10],
    ['unknown', 'text goes in quotes', 0],
    ['OBX-5', 'cannot be used here', 0],
  ];
  for (const [source, reason, at] of slips) {
    try {
      compileExpression(source, { tables, segments: ['PID'] });
      t.fail(source);
    } catch (error) {
      t.match((error as Error).message, reason, source);
      t.equal((error as { at: number }).at, at, source);
    }
  }
  t.end();
});

t.test('the default Chinese profile loads', (t) => {
  const { profile } = checkProfile(defaultProfile);
  t.equal(profile.name, 'cn-default');
  t.ok(
    ['ORU^R01', 'OUL^R24', 'ADT^A40', 'ORM^O01', 'MDM^*'].every((type) => profile.intake.types.accept.includes(type)),
  );
  t.match(compileProfile(defaultProfile), { corrections: 'unknown', quietMs: 0, parkMs: 0 });
  t.end();
});

t.test('a profile says how long tests are gathered and how long a report waits for its patient', (t) => {
  const reader = compileProfile(
    defaultProfile.replace('quiet_seconds: 0', 'quiet_seconds: 30').replace('park_minutes: 0', 'park_minutes: 15'),
  );
  t.match(reader, { quietMs: 30_000, parkMs: 900_000 });
  const [, before = ''] = /( {2}park_minutes: 0\n)/.exec(defaultProfile) ?? [];
  t.match(compileProfile(defaultProfile.replace(before, '').replace(/^assembly:.*$/m, '')), { quietMs: 0, parkMs: 0 });
  t.end();
});

/** Each mistake of a profile as `line:column path: reason`. */
function mistakes(text: string): string[] {
  try {
    compileProfile(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.issues.map(({ code, file, line, column, path, message }) => {
      if (code !== 'CFG-5009' || file !== 'profile') throw new Error(`${code} in ${file}`);
      if (!/\p{Script=Han}/u.test(message.zh) || message.zh === message.en) throw new Error(`not in Chinese: ${path}`);
      return `${line}:${column} ${path}: ${message.en}`;
    });
  }
  return [];
}

t.test('a mistake in a profile is told with line, column, path and a reason in both languages', (t) => {
  const lineOf = (text: string): number => defaultProfile.split('\n').findIndex((line) => line.includes(text)) + 1;
  const refused = (change: (text: string) => string): string => mistakes(change(defaultProfile)).join('\n');
  const from = (a: string, b: string) => refused((text) => text.replace(a, b));
  t.equal(
    from('birth_date: PID-7', 'birth_date: PXD-7'),
    `${lineOf('birth_date')}:15 patient.birth_date: there is no segment PXD`,
  );
  t.equal(
    from('phone: PID-13.9 | PID-13.1', 'phone: PID-13.9 | PID-131'),
    `${lineOf('phone:')}:21 patient.phone: PID has 45 fields`,
  );
  t.equal(
    from('birth_date: PID-7', 'birth_day: PID-7'),
    `${lineOf('birth_date')}:3 patient.birth_day: is not known here. Did you mean "birth_date"?`,
  );
  const quoted = `path: "PID-3[5=PI].1 | PID-3[5=''].1" }`;
  t.match(
    from(quoted, quoted.replace('| PID', '| PIX')),
    `${lineOf(quoted)}:48 patient.identifiers[7].path: there is no segment PIX`,
  );
  t.match(from('status: OBX-11', 'status: OBR-1111'), 'items.status: not expected here');
  t.match(
    from('status: OBR-25', 'status: OBR-X'),
    /^\d+:\d+ report.status: not a path$/,
    'told once, though exams inherit it',
  );
  t.match(
    from('corrections: unknown', 'corrections: delte'),
    /^\d+:14 corrections: must be one of: unknown, snapshot, delta. Did you mean "delta"\?$/,
  );
  t.match(from('    W: retract', '    W: forget'), 'tables.item_status.W: must be one of');
  t.match(from('- OUL^R21', '- ADT^A60'), 'intake.types.accept[1]: is a message type that nothing here reads');
  t.match(from('\norder:\n', '\norders:\n'), 'orders: is not known here. Did you mean "order"?');
  t.match(
    refused((text) => text.replace(/\ndocument:\n(?: {2}.*\n)+/, '\n')),
    'intake.types.accept[27]: needs the section document',
  );
  t.match(from('retired: MRG-4', 'retired: MRG-44'), 'merge.numbers[0].retired: MRG has 7');
  t.match(from('service: OBR-24.1', 'service: OBX-3'), 'exam.service: OBX cannot be used here');
  t.match(from('quiet_seconds: 0', 'quiet_seconds: -1'), 'assembly.quiet_seconds: must be at least 0');
  t.match(from('park_minutes: 0', 'park_minutes: soon'), 'patient.park_minutes: must be a number');
  t.match(from('ack: original-always', 'ack: sometimes'), `${lineOf('ack: original-always')}:8 intake.ack: must be`);
  t.match(from('ack: original-always', 'charset: KLINGON'), 'intake.charset: is no known charset');
  t.match(from('ack: original-always', 'akc: original'), 'intake.akc: is not known here. Did you mean "ack"?');
  t.match(
    from('    accept:\n      - ORU^R01', '    reject: [oru]\n    accept:\n      - ORU^R01'),
    'intake.types.reject[0]: must be a message type in capitals',
  );
  t.match(
    from('ack: original-always', 'versions: { accept: [2.4] }'),
    'intake.versions.accept[0]: must be text: put it',
  );
  t.match(from('ack: original-always', 'processing_id: { reject: [PT] }'), 'processing_id.reject[0]: must be a letter');
  t.match(from('class: PV1-2', 'class: OBX-2'), 'encounter.class: OBX cannot be used here');
  t.match(from('profile_version: 1', 'profile_version: 2'), 'profile_version: must be one of: 1');
  t.match(from('name: cn-default', 'name: cn-default\nname: again'), /^\d+:1 : This entry is written twice/);
  t.match(from('name: cn-default', 'name: CN'), 'name: may have small letters');
  t.match(from('intake:', 'time_zone: Asia/Peking\nintake:'), 'time_zone: must be an IANA time zone');
  t.match(from('sentinel_dates: ["19000101"]', 'sentinel_dates: ["1900"]'), 'sentinel_dates[0]: must be a date');
  t.match(
    from('\nsentinel_dates', '\nheartbeat: { segments: [OBX] }\nsentinel_dates'),
    'heartbeat.segments[0]: must be',
  );
  t.match(
    from('\nsentinel_dates', '\nheartbeat: { types: [ORU] }\nsentinel_dates'),
    'heartbeat.types[0]: is a type that carries results',
  );
  t.match(
    from('  flags:\n', '  flag:\n    N: normal\n  flags:\n'),
    'tables.flag: is a table that no path looks up. Did you mean "flags"?',
    'a table under a slip of a name would do nothing',
  );
  t.same(mistakes(defaultProfile), []);
  t.match(mistakes(''), [/profile_version: is missing/, /name: is missing/]);
  t.match(mistakes('a: [1'), [/^\d+:\d+ : /]);
  t.end();
});

t.test('all mistakes of a profile are told at once, in the order of their lines', (t) => {
  const many = defaultProfile
    .replace('title:', 'titel:')
    .replace('ack: original-always', 'ack: sometimes')
    .replace('      - OUL^R21', '      - ADT^A60')
    .replace('in_house: PID-2 |', 'in_house: PIX-2 |')
    .replace('birth_date: PID-7', 'birth_date: PID-77')
    .replace('    W: retract', '    W: forget');
  t.same(
    mistakes(many).map((line) => line.replace(/^\S+ /, '').split(': ')[0]),
    [
      'title',
      'titel',
      'intake.ack',
      'intake.types.accept[1]',
      'patient.in_house',
      'patient.birth_date',
      'tables.item_status.W',
    ],
  );
  t.end();
});
