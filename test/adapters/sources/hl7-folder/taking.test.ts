import t from 'tap';
import { frame } from '../../../../adapters/hl7v2/framing.ts';
import { oru } from '../hl7-mllp/listener.ts';
import { startFolder, until } from './dropped.ts';

t.setTimeout(60_000);

t.test('a file with one message goes to the store as it is, and then into the sealed archive', async (t) => {
  const d = await startFolder(t);
  const message = oru('A1', 'OBX|1|NM|K||6.21\r');
  d.put('a/b/result 1.hl7', message);
  await until(() => d.files().length === 0);
  t.same(d.stored(), [message]);
  t.same(await d.archived(), [['a/b/result 1.hl7', message]]);
  const [name = ''] = d.files(d.archive);
  t.match(name, /^\d{4}-\d\d-\d\d\/[0-9a-f]{24}\.qza$/, 'its name says nothing of it');
  t.match(d.source.status().folder, { takenToday: 1, waiting: 0, held: {}, ignored: {} });
  t.match(d.source.status().senders, [{ address: 'folder', messagesToday: 1 }]);
});

t.test(
  'several messages, with every terminator, in frames or bare, each come by themselves and in order',
  async (t) => {
    const d = await startFolder(t);
    const [a, b, c] = ['1', '2', '3'].map((n) => oru(`M${n}`, `OBX|1|ST|X||${n}\r`)) as [string, string, string];
    const lf = (text: string) => text.replaceAll('\r', '\n');
    const ways: Array<[name: string, content: Uint8Array | string, stored: string[]]> = [
      ['0cr', a + b + c, [a, b, c]],
      [
        '1lf',
        lf(a + b + c)
          .replaceAll('M', 'N')
          .replaceAll('NSH', 'MSH'),
        [a, b, c].map((m) => lf(m).replaceAll('M', 'N').replaceAll('NSH', 'MSH')),
      ],
      [
        '2frames',
        Buffer.concat([a, b].map((m) => frame(Buffer.from(m.replaceAll('|M', '|F'))))),
        [a, b].map((m) => m.replaceAll('|M', '|F')),
      ],
      [
        '3frames in lines',
        Buffer.concat([a, b].flatMap((m) => [frame(Buffer.from(m.replaceAll('|M', '|G'))), Buffer.from('\r\n')])),
        [a, b].map((m) => m.replaceAll('|M', '|G')),
      ],
      ['4batch', `FHS|^~\\&|LIS\rBHS|^~\\&|LIS\r${oru('B1')}${oru('B2')}BTS|2\rFTS|1\r`, [oru('B1'), oru('B2')]],
      ['5marked', `\xef\xbb\xbf${oru('C1')}\xef\xbb\xbf${oru('C2')}`, [oru('C1'), oru('C2')]],
    ];
    for (const [name, content, stored] of ways) {
      const before = d.stored().length;
      d.put(`${name}.hl7`, content);
      await until(() => d.files().length === 0);
      t.same(d.stored().slice(before), stored, name);
    }
    t.same(d.source.status().folder.held, {});
  },
);
