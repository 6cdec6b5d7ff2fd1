import { createCipheriv, randomBytes } from 'node:crypto';
import t from 'tap';
import { openChunk, sealChunk } from '../../../agent/security/chunks.ts';

/** The layout as it lies on disks: nonce and AAD written out. */
t.test('a chunk is sealed as files on disks are', async (t) => {
  const key = randomBytes(32);
  const plain = Buffer.from('some content');
  for (const [place, nonce, aad] of [
    [{ format: Buffer.of(1), chunk: 0, last: true }, '000000000000000000000000', '010000000001'],
    [{ format: Buffer.of(1), chunk: 258, last: false }, '000000000000000000000102', '010000010200'],
    [
      { format: Buffer.from('QZARCH1\n'), chunk: 3, last: true },
      '000000000000000000000003',
      '515a41524348310a0000000301',
    ],
  ] as const) {
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.from(nonce, 'hex')).setAAD(Buffer.from(aad, 'hex'));
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    t.same(sealChunk(plain, key, place), [body, cipher.getAuthTag()]);
    const sealed = Buffer.concat([body, cipher.getAuthTag()]);
    t.same(openChunk(sealed, key, place), plain);
    for (const other of [
      { ...place, chunk: place.chunk + 1 },
      { ...place, last: !place.last },
      { ...place, format: Buffer.of(2) },
    ])
      t.throws(() => openChunk(sealed, key, other), { code: 'QUE-4003' });
    sealed[0] = (sealed[0] ?? 0) ^ 1;
    t.throws(() => openChunk(sealed, key, place), { code: 'QUE-4003' });
  }
  t.same(Buffer.concat(sealChunk(Buffer.alloc(0), key, { format: Buffer.of(1), chunk: 0, last: true })).length, 16);
});
