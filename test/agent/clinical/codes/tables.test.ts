import { readdirSync } from 'node:fs';
import t from 'tap';
import { loadCodeTable } from '../../../../agent/clinical/codes/tables.ts';
import { readAsset } from '../../../../agent/support/assets.ts';

const load = (text: string) => loadCodeTable('x', 'code', () => text).table;

t.test('cells may be quoted, hold commas, quotes and line breaks, and lines may end in CRLF', async (t) => {
  const table = load('code,name,evidence,source\r\n1,"a, ""b""\nc",verified,s\r\n\r\n2,d,inferred,"s,t"\r\n');
  t.equal(table.by('code', '1')?.name, 'a, "b"\nc');
  t.equal(table.by('name', 'd')?.code, '2');
  t.equal(table.by('code', '3'), undefined);
});

t.test(
  'a row without source or with an unknown evidence, a doubled key and a short row are refused with their line',
  async (t) => {
    const refused = (text: string, where: string) => t.throws(() => load(text), { code: 'CFG-5010', where });
    refused('code,name,evidence,source\n1,a,verified,', 'codes/x:2');
    refused('code,name,evidence,source\n1,a,certain,s', 'codes/x:2');
    refused('code,name,evidence,source\n1,a,verified,s\n1,b,verified,s', 'codes/x:3');
    refused('code,name,evidence,source\n1,a,verified', 'codes/x:2');
    refused('code,name,evidence,source\n1,"a,verified,s', 'codes/x:2');
    refused('', 'codes/x:1');
  },
);

t.test('every table that ships loads', async (t) => {
  const ours = { 'oids.csv': 'key', 'data-elements.csv': 'key', 'document-sections.csv': 'key' };
  const files = readdirSync(new URL('../../../../config/codes/', import.meta.url)).filter((f) => f.endsWith('.csv'));
  t.ok(files.length >= 6);
  for (const file of Object.keys(ours)) {
    t.doesNotThrow(() => loadCodeTable(file.slice(0, -4), 'key', readAsset), file);
  }
  for (const id of ['sex', 'patient-type', 'lab-result'])
    t.doesNotThrow(() => loadCodeTable(id, 'code', readAsset), id);
});
