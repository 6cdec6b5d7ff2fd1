import t from 'tap';
import { noDcmtk } from '../../adapters/sources/dicom-scp/dcmtk.ts';
import { tried } from '../../long/figures.ts';
import { skipOrthanc } from '../../platform/orthanc/orthanc.ts';
import { folderOf } from '../disk/agent-rig.ts';
import { chooseSeed } from '../seed.ts';
import { describeKills } from './describe-kills.ts';
import { killAgent } from './kills.ts';

/** The long form of kill.debian.test.ts. In the gate that one is enough. */
const proof = process.env.QIANZHI_PROOF === '1';
const kills = proof ? 50 : 1;
t.setTimeout(proof ? 1_500_000 : 300_000);

const skip = skipOrthanc || noDcmtk;
t.test(`kill -9 ${kills} times in receive and upload: every image arrives, once and whole`, { skip }, async (t) => {
  const seed = chooseSeed();
  t.comment(`seed ${seed}`);
  const result = await killAgent(t, folderOf(t), { kills, seed, dropEveryMs: 400, drainMs: 300_000 });
  const count = result.sent.acknowledged.size + result.sent.dropped.size;
  t.comment(tried('kill -9, images', `${kills} kills, ${count} images`, result.wrong.length));
  t.comment(describeKills(kills, seed, result));
  t.same(result.wrong, []);
});
