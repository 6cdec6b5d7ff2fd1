import t from 'tap';
import { noDcmtk } from '../../adapters/sources/dicom-scp/dcmtk.ts';
import { skipOrthanc } from '../../platform/orthanc/orthanc.ts';
import { folderOf } from '../disk/agent-rig.ts';
import { chooseSeed } from '../seed.ts';
import { describeKills } from './describe-kills.ts';
import { killAgent } from './kills.ts';

t.setTimeout(300_000);

const skip = skipOrthanc || noDcmtk;
t.test('kill -9 five times in receive and upload: every image arrives, once and whole', { skip }, async (t) => {
  const seed = chooseSeed();
  const result = await killAgent(t, folderOf(t), { kills: 5, seed, dropEveryMs: 250, drainMs: 90_000 });
  t.comment(describeKills(5, seed, result));
  t.same(result.wrong, []);
  t.ok(result.sent.acknowledged.size > 10 && result.sent.dropped.size > 5, 'there was something to lose');
  t.ok(result.orthancStops > 0);
});
