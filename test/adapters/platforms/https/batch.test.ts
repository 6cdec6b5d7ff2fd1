import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { compress, documentLines } from '../../../../adapters/platforms/https/batch.ts';
import { phi } from '../../../../agent/support/phi.ts';
import { document } from './documents.ts';
import { sha256, type WireItem } from './fault-platform.ts';

t.test('whatever the bytes are, the wire gives them back', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('application/xml', 'image/png'), (bytes, type) => {
      const [line] = documentLines([document(1, { bytes: phi(bytes), mediaType: type })])
        .toString('utf8')
        .split('\n');
      const item = JSON.parse(line!) as WireItem;
      const back =
        item.content === undefined ? Buffer.from(item.content64!, 'base64') : Buffer.from(item.content, 'utf8');
      return Buffer.compare(back, bytes) === 0 && item.sha256 === sha256(bytes);
    }),
  );
  t.end();
});

t.test('text goes as JSON writes it, control characters and all', (t) => {
  const characters = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }));
  fc.assert(
    fc.property(fc.array(characters), (parts) => {
      const text = parts.join('');
      const body = documentLines([document(1, { bytes: phi(Buffer.from(text)), mediaType: 'application/xml' })]);
      const item = JSON.parse(body.toString('utf8')) as WireItem;
      return item.content === text && body.toString('utf8') === `${JSON.stringify(item)}\n`;
    }),
  );
  t.end();
});

t.test('both compressions unfold to the same body', async (t) => {
  const body = documentLines([document(1), document(2)]);
  t.same(zstdDecompressSync(await compress(body, 'zstd')), body);
  t.same(gunzipSync(await compress(body, 'gzip')), body);
});
