import type { Bilingual } from '../agent/support/text.ts';

/** Every sentence the configuration check can say. Names and limits only, never a configured value. */
export const message = {
  missing: (): Bilingual => ({ zh: '缺少这一项，必须填写。', en: 'is missing and must be given.' }),
  missingChoice: (choices: string): Bilingual => ({
    zh: `缺少这一项，必须填写；可选：${choices}。`,
    en: `is missing and must be one of: ${choices}.`,
  }),
  empty: (): Bilingual => ({
    zh: '这一项是空的，请填写，或删去整行。',
    en: 'is empty; give a value or remove the line.',
  }),
  unknownKey: (suggestion: string | undefined, known: string): Bilingual =>
    suggestion === undefined
      ? { zh: `没有这一项。这里可以写：${known}。`, en: `is not known here. Known: ${known}.` }
      : { zh: `没有这一项，是否想写“${suggestion}”？`, en: `is not known here. Did you mean "${suggestion}"?` },
  wrongType: (expected: string): Bilingual => {
    const words: Record<string, [string, string]> = {
      number: ['数字', 'a number'],
      int: ['整数', 'a whole number'],
      bigint: ['整数', 'a whole number'],
      boolean: ['true 或 false', 'true or false'],
      string: ['文字', 'text'],
      array: ['列表（每行以“- ”开头）', 'a list (each line begins with "- ")'],
      object: ['一组“名称: 值”', 'a group of "name: value" lines'],
      record: ['一组“名称: 值”', 'a group of "name: value" lines'],
    };
    const [zh, en] = words[expected] ?? ['另一种类型', 'of another type'];
    return { zh: `应为${zh}。`, en: `must be ${en}.` };
  },
  quoteText: (): Bilingual => ({
    zh: '应为文字，请加英文引号，如 "010"。',
    en: 'must be text: put it in quotes, like "010".',
  }),
  choice: (choices: string, suggestion: string | undefined): Bilingual => ({
    zh: `只能是：${choices}。${suggestion === undefined ? '' : `是否想写“${suggestion}”？`}`,
    en: `must be one of: ${choices}.${suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`}`,
  }),
  tooSmall: (origin: string, minimum: string, inclusive: boolean): Bilingual =>
    limit(origin, minimum, inclusive ? ['至少', 'at least'] : ['大于', 'more than']),
  tooBig: (origin: string, maximum: string, inclusive: boolean): Bilingual =>
    limit(origin, maximum, inclusive ? ['至多', 'at most'] : ['小于', 'less than']),
  format: (format: string): Bilingual =>
    format === 'url'
      ? { zh: '不是有效的网址。', en: 'is not a valid URL.' }
      : { zh: '书写的形式不对。', en: 'does not have the right form.' },
  notValid: (): Bilingual => ({ zh: '这一项的内容不对。', en: 'is not valid.' }),
  notUtf8: (): Bilingual => ({
    zh: '文件不是 UTF-8 编码，请用 UTF-8 另存（不要用 ANSI/GBK）。',
    en: 'The file is not UTF-8; save it as UTF-8 (not ANSI or GBK).',
  }),
  newerVersion: (known: number): Bilingual => ({
    zh: `这份配置由更新的版本写成，本程序只认识 config_version ${known}；请安装更新的版本，或恢复旧配置。`,
    en: `was written for a newer version; this program knows config_version ${known}. Install a newer version or restore the old configuration.`,
  }),
  unset: (name: string): Bilingual => ({
    zh: `环境变量 ${name} 没有设置；请设置它，或写成 \${${name}:-默认值}。`,
    en: `refers to the environment variable ${name}, which is not set; set it, or write \${${name}:-default}.`,
  }),
  malformedReference: (): Bilingual => ({
    zh: '“${”之后应是变量名和“}”；要写“${”本身，请写“$${”。',
    en: 'has "${" without a variable name and "}"; for a literal "${" write "$${".',
  }),
  keyInData: (): Bilingual => ({
    zh: '密钥放在了数据文件夹里，等于没有加密；请移到 data.folder 之外。',
    en: 'lies inside the data folder, where it protects nothing; move it out of data.folder.',
  }),
  nameTaken: (): Bilingual => ({
    zh: '这个名称已用过；来源与平台的名称都不能重复。',
    en: 'is used already; names of sources and platforms must differ.',
  }),
  nameReserved: (): Bilingual => ({ zh: '这个名称由程序自用，请换一个。', en: 'is reserved; choose another.' }),
  portTaken: (by: string): Bilingual => ({
    zh: `这个端口已由 ${by} 使用，请换一个。`,
    en: `is used by ${by} already; choose another.`,
  }),
  needsPeers: (): Bilingual => ({
    zh: '这个地址从网络可达，请在该来源下加 peers，列出允许连接的地址或网段。',
    en: 'is reachable from the network: add peers to this source with the addresses or networks that may connect.',
  }),
  noSuchSource: (suggestion: string | undefined): Bilingual => ({
    zh: `sources 里没有这个名称。${suggestion === undefined ? '' : `是否想写“${suggestion}”？`}`,
    en: `is not the name of a source.${suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`}`,
  }),
  noBuiltIn: (): Bilingual => ({
    zh: '没有这个名称的内置文件；自己的文件请写路径，如 ./my.yaml。',
    en: 'is not the name of a built-in file; for a file of your own write its path, like ./my.yaml.',
  }),
  fileUnreadable: (): Bilingual => ({
    zh: '这个文件不存在或读不到。',
    en: 'names a file that is absent or not readable.',
  }),
  certificateAbsent: (): Bilingual => ({
    zh: '这个文件不存在或读不到；接收照常进行，放好文件后上传自动开始。',
    en: 'names a file that is absent or not readable; receiving works, and uploads begin once the file is there.',
  }),
  demoCertificate: (): Bilingual => ({
    zh: '这是演示用的证书，不能用于正式运行；请换成平台签发的证书。',
    en: 'names a demo certificate, which is refused in real operation; use the one issued by the platform.',
  }),
  exampleValue: (): Bilingual => ({
    zh: '这还是示例里的值，正式上传前请改成本机构的。',
    en: 'is still the value of the example; replace it before real uploads.',
  }),
  imagesGoNowhere: (): Bilingual => ({
    zh: '收下的影像没有影像平台可去（kind: dicomweb），只会留在本机。',
    en: 'takes images, and no platform does (kind: dicomweb): they are kept here and go nowhere.',
  }),
  noImagesCome: (): Bilingual => ({
    zh: '是影像平台，但没有影像来源（kind: dicom-scp 或 dicom-folder），不会有东西可传。',
    en: 'takes images, and no source does (kind: dicom-scp or dicom-folder): nothing will be sent to it.',
  }),
} as const;

function limit(origin: string, value: string, [zh, en]: readonly [string, string]): Bilingual {
  if (origin === 'array' || origin === 'set')
    return { zh: `${zh}要有 ${value} 条。`, en: `must have ${en} ${value} entries.` };
  if (origin === 'string') return { zh: `长度应${zh} ${value} 个字符。`, en: `must have ${en} ${value} characters.` };
  return {
    zh: `应${zh}为 ${value}。`.replace('大于为', '大于').replace('小于为', '小于'),
    en: `must be ${en} ${value}.`,
  };
}

const yamlMessages: Readonly<Record<string, Bilingual>> = {
  DUPLICATE_KEY: { zh: '这一项写了两次，请删去一处。', en: 'This entry is written twice; remove one.' },
  TAB_AS_INDENT: { zh: '缩进用了 Tab，请改用空格。', en: 'A tab is used for indentation; use spaces.' },
  BAD_INDENT: {
    zh: '缩进不对，同一组的各项要左对齐。',
    en: 'Wrong indentation; entries of one group must be aligned.',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    zh: '缩进或冒号不对：同一行里不能再开始一组。',
    en: 'Wrong indentation or colon: a group cannot begin in the middle of a line.',
  },
  MISSING_CHAR: {
    zh: '缺少符号：可能是引号、括号没有收尾，或冒号后缺空格。',
    en: 'A character is missing: an unclosed quote or bracket, or no space after a colon.',
  },
  MULTIPLE_DOCS: { zh: '一个文件里只能有一份配置，请删去“---”。', en: 'Only one document is allowed; remove "---".' },
  ALIAS: {
    zh: '不支持引用（*名称），请直接写出内容。',
    en: 'References (*name) are not supported; write the content itself.',
  },
  BAD_ALIAS: {
    zh: '不支持引用（*名称）；若是文字请加引号。',
    en: 'References (*name) are not supported; quote it if it is text.',
  },
  COMPLEX_KEY: { zh: '名称必须是简单的文字。', en: 'A name must be plain text.' },
  TAG_RESOLVE_FAILED: {
    zh: '不支持标签（!名称）；若是文字请加引号。',
    en: 'Tags (!name) are not supported; quote it if it is text.',
  },
};

/** What a syntax error of the `yaml` package means, by its code. */
export const yamlMessage = (code: string): Bilingual =>
  yamlMessages[code] ?? {
    zh: 'YAML 书写有误（常见：缩进、引号、冒号后缺空格）。',
    en: 'YAML syntax error (often indentation, quotes, or no space after a colon).',
  };
