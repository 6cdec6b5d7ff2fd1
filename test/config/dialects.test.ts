import { readdirSync } from 'node:fs';
import t from 'tap';
import { registry } from '../../adapters/registry.ts';
import { readAsset } from '../../agent/support/assets.ts';
import { hl7Dialects } from '../../config/built-in.ts';

const files = readdirSync(new URL('../../config/dialects/', import.meta.url)).map((file) => file.replace('.yaml', ''));
const language = (kind: string) => registry.profiles.find(({ sourceKinds }) => sourceKinds.includes(kind))!;
const profile = (name: string) => language('hl7-mllp').check(readAsset(`config/dialects/${name}.yaml`), name);

t.test('every built-in profile is in the list, is called as its file, and holds', (t) => {
  t.same([...hl7Dialects, 'dicom-default'].sort(), files.sort());
  for (const name of hl7Dialects)
    t.match(profile(name), { profile_version: 1, name, title: { zh: /\p{Script=Han}/u } });
  t.ok(language('dicom-scp').check(readAsset('config/dialects/dicom-default.yaml')));
  t.end();
});

t.test('every profile but the default and images says only what differs', (t) => {
  for (const name of hl7Dialects.filter((one) => one !== 'cn-default')) {
    const text = readAsset(`config/dialects/${name}.yaml`);
    t.match(text, /^extends: cn-default$/m, name);
    t.match(text, /依据 Made from: /, `${name} says what it was made from`);
    t.ok(text.split('\n').length < 120, name);
  }
  t.end();
});

t.test('QC and calibration are no results under any profile', (t) => {
  for (const name of hl7Dialects) {
    t.match(profile(name), { quality_control: { path: 'MSH-16', values: ['1', '2'] } }, name);
  }
  t.end();
});
