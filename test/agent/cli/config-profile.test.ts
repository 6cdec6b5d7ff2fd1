import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { registry } from '../../../adapters/registry.ts';
import { goodConfig } from '../../config/small-registry.ts';
import { speak } from './program-of-test.ts';

const say = (...args: string[]) => speak(args, undefined, registry);

const message = [
  'MSH|^~\\&|LIS|H|E|R|20240520102600||ORU^R01|M1|P|2.4',
  'PID|1|P1|||张三||19900307|M',
  'OBR|1|A1||XCG^血常规||||||||||||||||R1||20240520102000|||F',
  'OBX|1|NM|K^钾||4.1|mmol/L|3.5-5.5|?|||F',
].join('\r');

t.test('config profile lists the built-in ones and shows one whole, so that it can be kept as a file', async (t) => {
  const { out: names } = await say('config', 'profile');
  t.match(names.split('\n'), ['cn-default', 'mindray-analyser']);
  t.match(names, /dicom-default/);
  const { out: whole } = await say('config', 'profile', 'lis-oul');
  t.match(parse(whole), { name: 'lis-oul', report: { status: 'OBR-25' }, intake: { versions: { accept: [] } } });
  const folder = t.testdir({ 'kept.yaml': whole });
  t.equal((await say('config', 'profile', join(folder, 'kept.yaml'))).out, whole, 'the same again');
  t.match((await say('config', 'profile', 'dicom-default')).out, /patient_id: own/);
  t.match(await say('config', 'profile', 'lis-oul2', '--lang', 'en'), {
    exit: 2,
    talk: /no built-in profile lis-oul2/,
  });
});

t.test('the mistakes of a profile are all told, by config profile and by config validate', async (t) => {
  const profile =
    'extends: cn-default\nprofile_version: 1\nname: x\ntitle: { zh: x, en: x }\npatinet: {}\nitems: { flag: OBX }\n';
  const folder = t.testdir({
    'my.yaml': profile,
    'qianzhi.yaml': goodConfig.replace('./profile.yaml', './my.yaml').replace('./pack.yaml', 'cn-wst500'),
  });
  const file = join(folder, 'my.yaml');
  const told = {
    zh: `${file}:5:1 CFG-5009 patinet：没有这一项，是否想写“patient”？\n${file}:6:16 CFG-5009 items.flag：这里不是路径`,
    en: `${file}:5:1 CFG-5009 patinet is not known here. Did you mean "patient"?\n${file}:6:16 CFG-5009 items.flag not a path`,
  };
  for (const args of [
    ['profile', file],
    ['validate', '--config', join(folder, 'qianzhi.yaml')],
  ]) {
    for (const lang of ['zh', 'en'] as const) {
      const { exit, talk } = await say('config', ...args, '--lang', lang);
      t.equal(exit, 78);
      t.ok(talk.startsWith(told[lang]), `${args[0]} ${lang}: ${talk}`);
    }
  }
  t.match(await say('config', 'profile', join(folder, 'absent.yaml')), {
    exit: 2,
    talk: /profile's file cannot be read|接入规则文件读不到/,
  });
  t.match(await say('config', 'profile', '--message', 'x.hl7'), { exit: 2, talk: /cn-default --message/ });
  t.match(await say('config', 'profile', '--mesage=x', 'cn-default'), { exit: 2, talk: /--mesage\b/ });
});

t.test('config profile tries a message on a profile and says what comes of it', async (t) => {
  const folder = t.testdir({
    'm.hl7': message,
    'open.hl7': message.replace('|||F\r', '|||Q\r'),
    'adt.hl7': message.replace('ORU^R01', 'SIU^S12'),
  });
  const trying = (file: string, ...more: string[]) =>
    say('config', 'profile', 'cn-default', '--message', join(folder, file), ...more);
  const { out, exit } = await trying('m.hl7');
  t.equal(exit, 0);
  t.match(parse(out), {
    type: 'ORU^R01',
    said: [
      { ok: { reportAction: 'publish', report: { reportNumber: 'R1', items: [{ value: '4.1', unit: 'mmol/L' }] } } },
    ],
  });
  t.match(out, /code: MAP-3001/, 'what it was not sure of');
  t.notMatch(out, /[&*]a1/);
  const { out: held } = await trying('open.hl7', '--lang', 'zh');
  t.match(parse(held), { said: [{ held: 'MAP-3006', where: 'report.status', fix: /\p{Script=Han}/u }] });
  t.match(JSON.parse((await trying('adt.hl7', '--json')).out), { said: [{ filtered: 'schedule' }] });
  t.match(await trying('absent.hl7'), { exit: 2, talk: /message file cannot be read|消息文件读不到/ });
});
