import { z } from 'zod';
import { nameKey, profileKey } from '../agent/intake/source-keys.ts';
import type { Registry } from '../agent/registry.ts';
import { filePath } from '../agent/support/file-path.ts';
import { bothLanguages } from '../agent/support/text.ts';

// A configuration is checked once: code generated for it would cost more than it saves, at every start.
z.config({ jitless: true });

/** The version of the configuration's form that this program reads. */
export const CONFIG_VERSION = 1;

/** Names that status, figures and rules use for themselves. */
export const reservedNames: readonly string[] = ['agent', 'none'];

/** What a sender continues that is a new system. */
export const nobody = 'none';

function isTimeZone(zone: string): boolean {
  // Nearly every site's: asking for it loads the tables of all languages, at every start.
  if (zone === 'Asia/Shanghai') return true;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    // Offsets such as +08:00 are accepted by Intl but know no history of a place.
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

const institution = {
  name: z.string().min(1).max(100).meta({ description: '机构名称 Name of the institution' }),
  org_code: z
    .string()
    .regex(/^[0-9A-Za-z-]{1,64}$/, {
      error: bothLanguages('只能用字母、数字和连字符。', 'must be letters, digits or hyphens.'),
    })
    .meta({ description: '机构代码，请加引号 Organisation code, quoted' }),
};

const site = z.strictObject({
  ...institution,
  time_zone: z
    .string()
    .refine(isTimeZone, {
      error: bothLanguages('不是有效的时区名，例如 Asia/Shanghai。', 'is not a time zone name such as Asia/Shanghai.'),
    })
    .default('Asia/Shanghai')
    .meta({ description: 'IANA 时区 Time zone' }),
  language: z.enum(['zh', 'en']).default('zh').meta({ description: '状态页语言 Language of the page' }),
  institutions: z.array(z.strictObject(institution)).max(1000).default([]).meta({
    description:
      '另外的机构（院区、医共体成员），由接入规则的 organisation 区分 Further institutions; the profiles tell them apart (organisation)',
  }),
});

const data = z.strictObject({
  folder: filePath().meta({ filePath: true, description: '数据文件夹，须在本机磁盘 Data folder on a local disk' }),
  key: z
    .string()
    .regex(/^(file:.+|systemd:[A-Za-z0-9._-]+)$/s, {
      error: bothLanguages('应写成 file:/路径 或 systemd:名称。', 'must be file:/path or systemd:name.'),
    })
    .meta({ description: '数据密钥，须在数据文件夹之外 Data key, outside the data folder' }),
  keep_images_days: z
    .int()
    .min(0)
    .max(3_650)
    .default(7)
    .meta({ description: '影像全部上传后在本机保留的天数 Days that delivered images are kept' }),
  report_wait_hours: z.int().min(0).max(8_760).default(72).meta({
    description:
      '检查与报告相差多少小时仍未关联时提示，0 为不提示 Hours after which a study without report, or a report without images, is shown; 0: never',
  }),
  image_categories: z.array(z.string().trim().min(1)).max(100).default([]).meta({
    description:
      '哪些检查类别的报告应当有影像（报告里的类别代码或名称，如 CT）；空为全部 Categories of examination whose reports should have images, as the reports name them; empty: all',
  }),
});

const status = z.strictObject({
  host: z
    .enum(['127.0.0.1', '::1'])
    .default('127.0.0.1')
    .meta({ description: '本版本只在本机打开 Loopback only in this version' }),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .default(8686)
    .meta({ description: '状态页端口，0 为任一空闲端口 Port of the status page; 0 takes a free one' }),
});

const log = z.strictObject({
  level: z.enum(['info', 'warn', 'error', 'silent']).default('info'),
  file: filePath()
    .optional()
    .meta({ filePath: true, description: '日志文件，缺省为标准错误 Log file, default stderr' }),
});

const filters = z.strictObject({
  sources: z.array(z.string()).min(1).optional().meta({ description: '只上传这些来源 Only these sources' }),
  patient_classes: z
    .array(z.enum(['outpatient', 'emergency', 'inpatient', 'checkup']))
    .min(1)
    .optional()
    .meta({ description: '只上传这些患者类别 Only these patient classes' }),
  organisations: z
    .array(z.string())
    .min(1)
    .optional()
    .meta({ description: '只上传这些机构（机构代码） Only these institutions, by organisation code' }),
});

const sourceBase = (kind: string) => ({
  name: nameKey,
  kind: z.literal(kind),
  profile: profileKey,
});

const platformBase = (kind: string, formats: string[]) => ({
  name: nameKey,
  kind: z.literal(kind),
  format: z.enum(formats).meta({ description: '文档格式 Format' }),
  pack: z.string().min(1).meta({
    description: '省级规范包：内置名称或 ./文件.yaml Province pack: a built-in name or ./file.yaml',
  }),
  overlay: z.record(z.string(), z.unknown()).default({}).meta({ description: '覆盖规范包的值 Values over the pack' }),
  hold_seconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(0)
    .meta({ description: '上传前等待的秒数 Seconds held before upload' }),
  outbox_bound: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .meta({ description: '待上传文档的上限 Most unsent documents' }),
  filters: filters.default({}),
});

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, {
  error: bothLanguages('应为 24 小时制时间，例如 08:00。', 'must be a time such as 08:00.'),
});
const bytesPerSecond = z.int().min(0).max(10_000_000_000);
const bytesPerSecondOrNone = bytesPerSecond.refine((rate) => rate === 0 || rate >= 1024, {
  error: bothLanguages('应为 0（暂停）或不小于 1024。', 'must be 0 (nothing is sent) or at least 1024.'),
});

const imagePlatformBase = (kind: string) => ({
  name: nameKey,
  kind: z.literal(kind),
  speed: z
    .strictObject({
      bytes_per_second: bytesPerSecond.min(1024).optional(),
      windows: z
        .array(
          z.strictObject({
            days: z.array(z.int().min(1).max(7)).min(1).optional(),
            from: clock,
            to: clock,
            bytes_per_second: bytesPerSecondOrNone,
          }),
        )
        .default([]),
      urgent_always: z.boolean().default(true),
    })
    .prefault({})
    .meta({
      description:
        '限速：windows 中的时段（days 1 为周一）另有上限，0 为暂停；急诊检查可照常 Limits; in windows (days: 1 is Monday) another one, 0 stops; urgent studies go on',
    }),
  verify: z.boolean().default(true).meta({ description: '上传完成后核对实例数 Count the instances afterwards' }),
});

/** Keys that every source, or every platform, has; the rest of an entry belongs to its adapter. */
export const sourceKeys: readonly string[] = Object.keys(sourceBase(''));
export const platformKeys: readonly string[] = Object.keys(platformBase('', ['']));
export const imagePlatformKeys: readonly string[] = Object.keys(imagePlatformBase(''));

/** An adapter's object with the common keys before its own; its checks over the whole object stay in force. */
function withBase(base: z.ZodRawShape, adapter: z.ZodObject): z.ZodObject {
  const entry = z.strictObject({ ...base, ...adapter.shape });
  const checks = (adapter.def.checks ?? []) as Array<z.core.$ZodCheck<Record<string, unknown>>>;
  return checks.length === 0 ? entry : (entry.check(...checks) as z.ZodObject);
}

function byKind(entries: z.ZodObject[]): z.ZodType<Array<Record<string, unknown>>> {
  const [first, ...rest] = entries;
  if (first === undefined) throw new Error('the registry is empty');
  return z.array(z.discriminatedUnion('kind', [first, ...rest])).min(1);
}

/**
 * The schema of a configuration file, built from what the registry offers: each kind of source and
 * platform brings its own keys. Strict: an unknown key is an error.
 */
export function buildSchema(registry: Registry) {
  const formats = registry.formats.map((format) => format.kind);
  return z.strictObject({
    config_version: z.literal(CONFIG_VERSION),
    site,
    data,
    status: status.prefault({}),
    log: log.prefault({}),
    sources: byKind(
      [...registry.sources, ...registry.imageSources].map((source) => withBase(sourceBase(source.kind), source.config)),
    ),
    platforms: byKind([
      ...registry.platforms.map((platform) => withBase(platformBase(platform.kind, formats), platform.config)),
      ...registry.imagePlatforms.map((platform) => withBase(imagePlatformBase(platform.kind), platform.config)),
    ]),
  });
}

export type ConfigSchema = ReturnType<typeof buildSchema>;
export type Config = z.infer<ConfigSchema>;
export type Filters = z.infer<typeof filters>;

/** An entry of a source's `senders`, where its kind has them. */
export interface Sender {
  name: string;
  profile: string;
  continues?: string;
  addresses?: string[];
  applications?: string[];
  facilities?: string[];
}

export const sendersOf = (source: Record<string, unknown>): Sender[] => (source.senders ?? []) as Sender[];

/** JSON Schema (draft-07) of the configuration for editors: what a person may write, defaults left out. */
export function configJsonSchema(registry: Registry): Record<string, unknown> {
  return z.toJSONSchema(buildSchema(registry), {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      delete (jsonSchema as Record<string, unknown>).filePath;
    },
  }) as Record<string, unknown>;
}
