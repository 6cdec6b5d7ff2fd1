import type { ClinicalRecord } from '../../../../agent/clinical/records/types.ts';
import type { RenderInput } from '../../../../agent/rendering/format.ts';
import { goldenReport } from '../../golden-records.ts';

export const setId = '0123456789abcdef0123456789abcdef';

/** A first publication of a report, received at 10:26:01 in Shanghai. */
export function inputOf(report: ClinicalRecord = goldenReport, rest: Partial<RenderInput> = {}): RenderInput {
  return {
    content: {
      record: report,
      context: {
        receivedMs: Date.UTC(2024, 4, 20, 2, 26, 1),
        source: 'lis',
        timeZone: 'Asia/Shanghai',
        messageTime: '20240520102600',
      },
    },
    action: 'publish',
    setId,
    version: 1,
    site: { orgCode: '12100000MB0000001P', name: '示例市人民医院' },
    ...rest,
  };
}
