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
    zh: '这个名称已用过；来源、发送方与平台的名称都不能重复。',
    en: 'is used already; names of sources, senders and platforms must differ.',
  }),
  nameReserved: (): Bilingual => ({ zh: '这个名称由程序自用，请换一个。', en: 'is reserved; choose another.' }),
  portTaken: (by: string): Bilingual => ({
    zh: `这个端口已由 ${by} 使用，请换一个。`,
    en: `is used by ${by} already; choose another.`,
  }),
  archiveAround: (): Bilingual => ({
    zh: '归档文件夹不能就是 folder，也不能把它包在里面；请写另一个文件夹。',
    en: 'is the watched folder itself, or has it inside; name another folder.',
  }),
  archiveUnused: (): Bilingual => ({
    zh: 'after: delete 时不会归档，请删去 archive，或写 after: move。',
    en: 'is never used with after: delete; remove archive, or write after: move.',
  }),
  folderTaken: (by: string): Bilingual => ({
    zh: `来源 ${by} 已监视这个文件夹（或其上级、下级），同一个文件会归两个来源读；请分开文件夹，HL7 文件也可用 include 分开文件名。`,
    en: `is watched by ${by} already, or lies in its folder or around it: both would read the same files. Use separate folders; for HL7 files include may tell the names apart.`,
  }),
  putAmongFiles: (by: string): Bilingual => ({
    zh: `在来源 ${by} 监视的文件夹里，会被它当作新文件读入；请写另一个文件夹。`,
    en: `lies in the folder that ${by} watches, which would read the files anew; name another folder.`,
  }),
  answersAmongFiles: (): Bilingual => ({
    zh: '应答文件夹请与 folder 不同。',
    en: 'must be another folder than the one that is watched.',
  }),
  needsPeers: (): Bilingual => ({
    zh: '这个地址从网络可达，请在该来源下加 peers，列出允许连接的地址或网段；或加 tls 并要求客户端证书。',
    en: 'is reachable from the network: add peers to this source with the addresses or networks that may connect, or tls with required client certificates.',
  }),
  noSuchSource: (suggestion: string | undefined): Bilingual => ({
    zh: `sources 里没有这个名称。${suggestion === undefined ? '' : `是否想写“${suggestion}”？`}`,
    en: `is not the name of a source.${suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`}`,
  }),
  noSuchOrganisation: (suggestion: string | undefined): Bilingual => ({
    zh: `不是 site.org_code，也不在 site.institutions 里。${suggestion === undefined ? '' : `是否想写“${suggestion}”？`}`,
    en: `is neither site.org_code nor in site.institutions.${suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`}`,
  }),
  numbersDiffer: (here: string, by: string, there: string): Bilingual => ({
    zh: `这家机构在这里是 patient_numbers: ${here}，在来源 ${by} 的接入规则里是 ${there}；两处须一致，否则登记与报告对不上。`,
    en: `has patient_numbers: ${here} here and ${there} in the profile of ${by}; both must say the same, or registrations and reports do not find each other.`,
  }),
  allOwn: (): Bilingual => ({
    zh: '不区分机构：这个来源收到的全部算本机构的。别的机构也往这里发的，其患者会被当作本机构的：HL7 的规则请加 organisation 一节，影像的规则请用 patient_id: own。',
    en: 'tells no institutions apart: all that comes here counts as the site’s own. Where another institution sends here as well, its patients are taken for the site’s: add the section organisation to a profile of HL7, write patient_id: own in one of images.',
  }),
  sharedWithSite: (): Bilingual => ({
    zh: '写了 patient_numbers: shared，对照表里却没有本机构：shared 指与本机构共用一套患者编号。只是另外几家之间共用的，请另装一台前置机。',
    en: 'says patient_numbers: shared, and its table does not name the site itself: shared means with the numbers of the site. Institutions that share numbers only among themselves need an agent of their own.',
  }),
  emptyWithDelta: (): Bilingual => ({
    zh: '只发改动（corrections: delta）或逐项发送（assembly）的系统不能写 leave-out：清空一个结果会被当作没有发。',
    en: 'must not be leave-out where corrections are changes only (delta) or tests come one by one (assembly): a result that is emptied would count as not sent.',
  }),
  organisationTaken: (): Bilingual => ({
    zh: '这个机构代码已用过；各机构的代码不能重复。',
    en: 'is used already; organisation codes of institutions must differ.',
  }),
  noBuiltIn: (meant: string | undefined): Bilingual => ({
    zh: `没有这个名称的内置文件${meant === undefined ? '' : `，是否想写 ${meant}`}；自己的文件请写路径，如 ./my.yaml。`,
    en: `is not the name of a built-in file${meant === undefined ? '' : `, did you mean ${meant}?`}; for a file of your own write its path, like ./my.yaml.`,
  }),
  fileUnreadable: (): Bilingual => ({
    zh: '这个文件不存在或读不到。',
    en: 'names a file that is absent or not readable.',
  }),
  certificateAbsent: (): Bilingual => ({
    zh: '这个文件不存在或读不到；接收照常进行，放好文件后上传自动开始。',
    en: 'names a file that is absent or not readable; receiving works, and uploads begin once the file is there.',
  }),
  listenerCertificateAbsent: (): Bilingual => ({
    zh: '这个文件不存在或读不到；该来源现在不能接收，放好文件后自动开始，其他来源不受影响。',
    en: 'names a file that is absent or not readable; this source takes nothing now and begins by itself once the file is there. Others are not affected.',
  }),
  demoCertificate: (): Bilingual => ({
    zh: '这是演示用的证书，不能用于正式运行；请换成平台签发的证书。',
    en: 'names a demo certificate, which is refused in real operation; use the one issued by the platform.',
  }),
  exampleValue: (): Bilingual => ({
    zh: '这还是示例里的值，正式上传前请改成本机构的。',
    en: 'is still the value of the example; replace it before real uploads.',
  }),
  framingDiffers: (keys: readonly string[], port: string): Bilingual => ({
    zh: `这份接入规则的 ${keys.join('、')} 与 ${port} 自己的接入规则不同；同一个端口上的连接只能有一种，请改成相同，或另开端口。`,
    en: `names a profile whose ${keys.join(', ')} differ from those of ${port}'s own; connections of one port have one way only: make them equal, or open another port.`,
  }),
  continuesWrong: (further: string | undefined): Bilingual =>
    further === undefined
      ? {
          zh: '不能沿用自己的名称；请写报告以前所用的来源名称，或删去这一项。',
          en: 'is its own name; write the name its reports came under before, or remove the line.',
        }
      : {
          zh: `这个发送方本身沿用 ${further}；请直接写 ${further}。`,
          en: `names a sender that itself continues ${further}; write ${further}.`,
        },
  continuesUnknown: (): Bilingual => ({
    zh: '配置中没有这个名称；若是已撤销的来源则无误，请核对拼写。',
    en: 'is not configured; right if it is a source that was removed. Check the spelling.',
  }),
  continuedNotFiltered: (sender: string): Bilingual => ({
    zh: `列有 ${sender} 所沿用的来源，却没有列 ${sender}：它今后的报告不再上传到这个平台（已上传报告的更正照常）。`,
    en: `lists the source that ${sender} continues and not ${sender}: its reports will not reach this platform from now on (corrections of those it has will).`,
  }),
  senderNotFiltered: (sender: string, port: string): Bilingual => ({
    zh: `列有 ${port}，却没有列在其中分出来的发送方 ${sender}：它的报告不会上传到这个平台。`,
    en: `lists ${port} and not ${sender}, a sender told apart in it: reports of that sender will not reach this platform.`,
  }),
  refusesAll: (): Bilingual => ({
    zh: '没有写 senders，refuse 会拒收所有消息；请列出 senders，或改为 take。',
    en: 'without senders, refuse refuses every message: list senders, or write take.',
  }),
  senderHidden: (first: string): Bilingual => ({
    zh: `符合这一条的都先符合前面的 ${first}，永远轮不到它；请把它移到前面，或改写识别依据。`,
    en: `is never chosen: whatever fits it fits ${first} before it. Put it first, or change what it is recognised by.`,
  }),
  outsidePeers: (): Bilingual => ({
    zh: '不在该来源的 peers 之内，连接会被拒绝，永远收不到；请补到 peers，或改正地址。',
    en: 'lies outside peers of the source, which refuses its connections: add it to peers, or correct it.',
  }),
  moreThanComponent: (): Bilingual => ({
    zh: '只比对第一个组件（^ 之前），带 ^、~、| 的名称永远不符合；请只写 ^ 之前的部分。',
    en: 'never fits: only the first component is compared. Write what stands before the ^.',
  }),
  imagesGoNowhere: (): Bilingual => ({
    zh: '收下的影像没有影像平台可去（kind: dicomweb），只会留在本机。',
    en: 'takes images, and no platform does (kind: dicomweb): they are kept here and go nowhere.',
  }),
  noImagesCome: (): Bilingual => ({
    zh: '是影像平台，但没有影像来源（kind: dicom-scp 或 dicom-folder），不会有东西可传。',
    en: 'takes images, and no source does (kind: dicom-scp or dicom-folder): nothing will be sent to it.',
  }),
  noDialect: (known: string, suggestion: string | undefined): Bilingual => ({
    zh: `只能是内置接入规则的名称：${known}。${suggestion === undefined ? '' : `是否想写“${suggestion}”？`}`,
    en: `must be the name of a built-in profile: ${known}.${suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`}`,
  }),
  dropsNothing: (): Bilingual => ({
    zh: '没有 extends 就没有可去掉的；请加上 extends，或删去这一项。',
    en: 'has nothing to drop from: add extends, or remove this.',
  }),
  nothingToDrop: (base: string): Bilingual => ({
    zh: `${base} 里没有这一项，无从去掉；写法如 items.sub_id 或 tables.flags.M（看 qianzhi config profile ${base}）。`,
    en: `is not in ${base}, so it cannot be dropped; write it like items.sub_id or tables.flags.M (see qianzhi config profile ${base}).`,
  }),
  noReader: (): Bilingual => ({
    zh: '本程序不会读这种消息，不能列在 accept 里；不列出的类型会应答并过滤。',
    en: 'is a message type that nothing here reads; types that are not listed are acknowledged and filtered.',
  }),
  carriesSomething: (): Bilingual => ({
    zh: '这种消息里有结果或患者信息，不能当作心跳过滤掉；只带 MSH 等段的请写在 segments。',
    en: 'is a type that carries results or patients and cannot be filtered as a sign of life; name bare segments under segments.',
  }),
  needsSection: (section: string): Bilingual => ({
    zh: `要接收这种消息，接入规则里须有 ${section} 一节；或从 accept 中删去。`,
    en: `needs the section ${section} in the profile; else take it out of accept.`,
  }),
  unusedTable: (suggestion: string | undefined): Bilingual => ({
    zh: `没有路径用到这个表（lookup）。${suggestion === undefined ? '' : `是否想写“${suggestion}”？`}`,
    en: `is a table that no path looks up.${suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`}`,
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
    zh: '不支持引用（*名称），请直接写出内容；若是文字（如 "*.hl7"）请加引号。',
    en: 'References (*name) are not supported; write the content itself, and quote it if it is text, like "*.hl7".',
  },
  BAD_ALIAS: {
    zh: '不支持引用（*名称）；若是文字（如 "*.hl7"）请加引号。',
    en: 'References (*name) are not supported; quote it if it is text, like "*.hl7".',
  },
  COMPLEX_KEY: { zh: '名称必须是简单的文字。', en: 'A name must be plain text.' },
  TAG_RESOLVE_FAILED: {
    zh: '不支持标签（!名称）；若是文字请加引号。',
    en: 'Tags (!name) are not supported; quote it if it is text.',
  },
};

/** What a syntax error of the `yaml` package means, by its code. */
/** A slip that every editor with a Chinese input method makes. */
export const colonHint = (line: number, isFullWidth: boolean): Bilingual =>
  isFullWidth
    ? {
        zh: `第 ${line} 行用了全角冒号“：”，要写成半角冒号加空格“: ”。`,
        en: `Line ${line} has a full-width colon; write ": ", a colon and a space.`,
      }
    : { zh: `第 ${line} 行的冒号后缺空格。`, en: `Line ${line} has no space after its colon.` };

export const yamlMessage = (code: string): Bilingual =>
  yamlMessages[code] ?? {
    zh: 'YAML 书写有误（常见：缩进、引号、冒号后缺空格）。',
    en: 'YAML syntax error (often indentation, quotes, or no space after a colon).',
  };
