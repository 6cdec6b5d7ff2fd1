import t from 'tap';
import { readAsset } from '../../../../agent/support/assets.ts';
import { compilePack } from './compile-pack.ts';
import { equalsGolden, missingGolden as skip } from './golden-differences.ts';
import { inputOf } from './golden-report.ts';

for (const pack of ['cn-wst500', 'cn-wst500-strict'] as const) {
  t.test(`golden laboratory report, ${pack}: equal in every element that the message carries`, { skip }, async (t) => {
    const renderer = compilePack(readAsset(`config/provinces/${pack}/pack.yaml`), {});
    const out = renderer.render(inputOf());
    if (out.kind !== 'document') throw new Error(JSON.stringify(out));
    equalsGolden(t, out.bytes.reveal(), pack);
  });
}
