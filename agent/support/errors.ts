/**
 * Every error code is born here and nowhere else. A code keeps its meaning for ever; page, log,
 * command line and docs/errors.md all read this table. Texts never hold values: what came from
 * outside counts as patient data.
 */
export interface ErrorText {
  title: string;
  cause: string;
  fix: string;
}

export interface ErrorEntry {
  /** Whose side it usually is, so that the page can say whom to call. */
  side: 'hospital' | 'agent' | 'platform' | 'network';
  zh: ErrorText;
  en: ErrorText;
}

const e = (
  side: ErrorEntry['side'],
  zh: [title: string, cause: string, fix: string],
  en: [title: string, cause: string, fix: string],
): ErrorEntry => ({
  side,
  zh: { title: zh[0], cause: zh[1], fix: zh[2] },
  en: { title: en[0], cause: en[1], fix: en[2] },
});

export const errorTable = {
  // ------------------------------------------------------------ NET network
  'NET-1001': e(
    'network',
    [
      '平台地址解析失败',
      'DNS 查不到平台的主机名。',
      '检查配置中 platforms 的 url 与本机 DNS 设置；用 nslookup 测试该主机名。',
    ],
    [
      'Platform name cannot be resolved',
      'DNS does not know the platform host name.',
      'Check url under platforms and the DNS settings of this machine; test the name with nslookup.',
    ],
  ),
  'NET-1002': e(
    'network',
    [
      '平台拒绝连接',
      '平台主机可达，但端口没有服务在听，或防火墙主动拒绝。',
      '核对端口；请平台或网络管理员确认服务已启动、防火墙已放行。恢复后自动续传。',
    ],
    [
      'Platform refuses the connection',
      'The host answers but nothing listens on the port, or a firewall rejects.',
      'Check the port; ask the platform or network administrator whether the service runs and the firewall allows it. Uploads resume by themselves.',
    ],
  ),
  'NET-1003': e(
    'network',
    [
      '连接平台超时',
      '平台在规定时间内没有回应，常见原因是防火墙丢弃了数据包或专线中断。',
      '请网络管理员检查到平台的线路与防火墙。恢复后自动续传。',
    ],
    [
      'Platform does not answer in time',
      'No answer within the time limit; often a firewall drops packets or the line is down.',
      'Ask the network administrator to check line and firewall to the platform. Uploads resume by themselves.',
    ],
  ),
  'NET-1005': e(
    'network',
    ['平台端口不是 HTTPS', '对方在该端口上讲的不是 TLS。', '核对 url 的端口；不要改用 http，前置机只走双向 TLS。'],
    [
      'The port does not speak HTTPS',
      'The peer does not speak TLS on this port.',
      'Check the port in url; plain http is never used.',
    ],
  ),
  'NET-1006': e(
    'network',
    [
      '与平台的连接中断',
      '连接在收到回执之前断开。',
      '无需操作：同一文档会以同一编号重发，平台不会重复入库。频繁出现时请网络管理员检查线路。',
    ],
    [
      'Connection to the platform broke',
      'The connection ended before the receipt came.',
      'Nothing to do: the same document is sent again under the same key. If frequent, have the line checked.',
    ],
  ),
  // ------------------------------------------------------------ TLS
  'TLS-1201': e(
    'platform',
    [
      '平台证书的签发机构不受信任',
      '平台出示的证书不是由配置的平台 CA 签发。',
      '向平台索取正确的 CA 证书，核对指纹后放到 tls.ca 指定的文件。切勿关闭校验。',
    ],
    [
      'Platform certificate is from an unknown CA',
      'The certificate shown is not issued by the configured platform CA.',
      'Get the right CA certificate from the platform, compare its fingerprint, put it into the file named by tls.ca. Checks are never turned off.',
    ],
  ),
  'TLS-1202': e(
    'platform',
    ['平台证书的名称不符', '证书里的主机名与 url 中的不同。', '核对 url 的主机名；确认没有被导向别的服务器。'],
    [
      'Platform certificate has another name',
      'The host name in the certificate differs from the one in url.',
      'Check the host name in url; make sure you are not being sent to another server.',
    ],
  ),
  'TLS-1203': e(
    'platform',
    ['平台证书已过期', '平台的服务器证书不在有效期内，或本机时间不准。', '先核对本机时间，再联系平台更换证书。'],
    [
      'Platform certificate has expired',
      'The server certificate is outside its validity, or the clock here is wrong.',
      'Check the clock here first, then ask the platform to renew its certificate.',
    ],
  ),
  'TLS-1204': e(
    'platform',
    [
      '平台不接受本机证书',
      '平台在握手中拒绝了我们的客户端证书（未登记、被吊销或签发机构不对）。',
      '把本机证书的指纹报给平台核对；必要时重新申请证书并替换 tls.cert 与 tls.key。接收不受影响。',
    ],
    [
      'Platform rejects our certificate',
      'The platform refused our client certificate in the handshake (not registered, revoked or wrong issuer).',
      'Give the platform the fingerprint of our certificate; if needed apply for a new one and replace tls.cert and tls.key. Receiving goes on.',
    ],
  ),
  'TLS-1205': e(
    'agent',
    [
      '本机证书已过期或尚未生效',
      '我们的客户端证书不在有效期内。',
      '向平台申请新证书，替换 tls.cert 与 tls.key 指定的文件。接收不受影响，数据已安全排队。',
    ],
    [
      'Our certificate has expired or is not yet valid',
      'Our client certificate is outside its validity.',
      'Apply for a new certificate and replace the files named by tls.cert and tls.key. Receiving goes on; data is queued safely.',
    ],
  ),
  'TLS-1206': e(
    'agent',
    [
      '本机时间不准，证书因此显得无效',
      '本机时间与平台时间相差超过一小时；按平台时间证书有效，按本机时间无效。',
      '先校准本机的日期、时间和时区（配置 NTP）；校准后自动恢复。时间无误而仍报此码时，再向平台核对证书有效期。',
    ],
    [
      'The clock here is wrong, so a certificate looks invalid',
      'The clock here differs from the platform’s by more than an hour; the certificate is valid by the platform’s clock and not by ours.',
      'Correct date, time and time zone of this machine first (set up NTP); uploads then resume by themselves. If the clock is right, check the certificate’s dates with the platform.',
    ],
  ),
  'TLS-1207': e(
    'network',
    [
      '疑似有设备在中间解密 TLS',
      '对方证书的主机名正确，却由另一个 CA 签发：可能是上网行为管理、防火墙或代理在解密，也可能是平台更换了 CA，或 tls.ca 放错了文件。未发送任何患者数据。',
      '请网络管理员把平台地址加入免解密名单；同时向平台核对其 CA 指纹。切勿把中间设备的 CA 放进 tls.ca。',
    ],
    [
      'A device in between seems to open TLS',
      'The certificate shown has the right host name but another CA issued it: a firewall or proxy that inspects TLS, or the platform changed its CA, or tls.ca holds the wrong file. No patient data was sent.',
      'Ask the network administrator to exempt the platform’s address from TLS inspection, and compare the CA’s fingerprint with the platform. Never put the device’s CA into tls.ca.',
    ],
  ),
  'TLS-1208': e(
    'agent',
    ['本机证书即将到期', '客户端证书的有效期所剩不多。', '尽快向平台申请新证书并替换文件，避免上传中断。'],
    [
      'Our certificate expires soon',
      'Little is left of the validity of our client certificate.',
      'Apply for a new certificate now and replace the files, so that uploads do not stop.',
    ],
  ),
  'TLS-1209': e(
    'agent',
    [
      '证书文件不可用',
      '证书或私钥文件读不到、格式不对，或两者不配对。',
      '检查 tls.ca、tls.cert、tls.key 指定的文件是否存在、是 PEM 格式、彼此配对、服务账号可读。',
    ],
    [
      'Certificate files cannot be used',
      'A certificate or key file cannot be read, is not PEM, or the two do not match.',
      'Check the files named by tls.ca, tls.cert and tls.key: present, PEM, matching, readable by the service account.',
    ],
  ),
  'TLS-1210': e(
    'network',
    [
      'TLS 握手失败',
      '与平台协商加密连接失败（协议版本或算法不一致，或连接被中间设备打断）。',
      '请平台确认支持 TLS 1.3；只支持 1.2 时把 tls.min_version 设为 "1.2"。',
    ],
    [
      'TLS handshake failed',
      'No encrypted connection could be agreed (version or cipher mismatch, or a device in between cut it).',
      'Ask whether the platform supports TLS 1.3; if only 1.2, set tls.min_version to "1.2".',
    ],
  ),
  'TLS-1211': e(
    'platform',
    [
      '平台 CA 证书即将到期',
      '用来校验平台的 CA 证书有效期所剩不多。',
      '向平台索取新的 CA 证书，核对指纹后放到 tls.ca 指定的文件。',
    ],
    [
      'The platform’s CA certificate expires soon',
      'Little is left of the validity of the CA certificate that the platform is checked against.',
      'Get the new CA certificate from the platform, compare its fingerprint, put it into the file named by tls.ca.',
    ],
  ),
  // ------------------------------------------------------------ PLT platform answers
  'PLT-1301': e(
    'platform',
    [
      '平台不授权',
      '平台回答 401 或 403：证书有效，但没有上传权限。',
      '联系平台为本机构开通权限。上传已暂停，恢复后自动续传。',
    ],
    [
      'Platform does not authorise us',
      'The platform answered 401 or 403: the certificate is fine but has no right to upload.',
      'Ask the platform to grant the right to this institution. Uploads are paused and resume by themselves.',
    ],
  ),
  'PLT-1302': e(
    'platform',
    ['单个文档超过平台上限', '平台回答 413，且拆到单个文档仍然太大。', '请平台提高上限；该文档已留待人工处理。'],
    [
      'A document exceeds the platform limit',
      'The platform answered 413 even for a single document.',
      'Ask the platform to raise its limit; the document is held for a person.',
    ],
  ),
  'PLT-1303': e(
    'platform',
    ['平台要求放慢', '平台回答 429，请稍后再传。', '无需操作：按平台给出的时间自动重试。'],
    [
      'Platform asks to slow down',
      'The platform answered 429.',
      'Nothing to do: retried after the time the platform gave.',
    ],
  ),
  'PLT-1304': e(
    'platform',
    ['平台内部故障', '平台回答 5xx。', '无需操作：自动重试。长时间不恢复请联系平台。'],
    [
      'Platform has an internal fault',
      'The platform answered 5xx.',
      'Nothing to do: retried automatically. Call the platform if it lasts.',
    ],
  ),
  'PLT-1305': e(
    'platform',
    [
      '平台拒收该文档',
      '平台对该文档给出了业务拒绝。',
      '在“待人工处理”里查看平台代码，按平台规范修正数据或对码后重发。同一报告的后续版本随之等待，其他报告不受影响。',
    ],
    [
      'Platform refuses the document',
      'The platform gave a business refusal for this document.',
      'See the platform code under "held for a person", correct the data or code map, then resend. Later versions of the same report wait; other reports go on.',
    ],
  ),
  'PLT-1306': e(
    'platform',
    [
      '平台把请求导向别处',
      '平台回答了跳转（3xx）。前置机不跟随跳转，可能经过了门户或代理。',
      '核对 url；请网络管理员确认没有上网认证页面拦截。',
    ],
    [
      'Platform redirects',
      'The platform answered 3xx. Redirects are not followed; a portal or proxy may be in between.',
      'Check url; ask the network administrator whether a login portal intercepts.',
    ],
  ),
  'PLT-1307': e(
    'platform',
    [
      '平台的回答看不懂',
      '回答不完整、不是约定格式，或属于别的文档。',
      '无需操作：视为未送达并自动重试。持续出现请把时间点报给平台。',
    ],
    [
      'Platform answer is not understood',
      'The answer is truncated, in another format, or about other documents.',
      'Nothing to do: treated as not delivered and retried. If it lasts, report the times to the platform.',
    ],
  ),
  'PLT-1308': e(
    'platform',
    [
      '平台整批拒收',
      '平台拒绝了整批但没有指出是哪一条；前置机正在自动拆分查找。',
      '无需操作：拆分到单条后，只有被拒的那条留待人工处理。',
    ],
    [
      'Platform refuses a whole batch',
      'The batch was refused without naming an item; it is being bisected.',
      'Nothing to do: once single, only the refused document is held.',
    ],
  ),
  'PLT-1309': e(
    'platform',
    [
      '平台在等前置资料',
      '平台要求先收到就诊或患者资料。',
      '无需操作：稍后自动重试；长时间不恢复请检查就诊信息是否已上传。',
    ],
    [
      'Platform waits for a parent document',
      'The platform wants the encounter or patient first.',
      'Nothing to do: retried later; if it lasts, check that encounters are uploaded.',
    ],
  ),
  'PLT-1310': e(
    'platform',
    [
      '平台要求重传该文档',
      '平台对这一份文档回答“稍后重试”，其他文档不受影响。',
      '无需操作：按平台给出的时间自动重试。',
    ],
    [
      'Platform asks to send the document again',
      'The platform answered "retry" for this one document; the others are not affected.',
      'Nothing to do: retried after the time the platform gave.',
    ],
  ),
  'PLT-1311': e(
    'platform',
    [
      '平台查不到已接收的文档',
      '平台曾确认收到该文档，查询回执时却说没有。',
      '无需操作：以同一编号自动重发。反复出现请把时间点报给平台。',
    ],
    [
      'Platform lost a document it had received',
      'The platform confirmed the document earlier and now does not know it.',
      'Nothing to do: it is sent again under the same key. If frequent, report the times to the platform.',
    ],
  ),
  'PLT-1312': e(
    'platform',
    [
      '平台拒收一切文档，上传已暂停',
      '平台对接连几份单独发送的文档都整体拒收（400、413 或 422），没有说明是哪一条、为什么，其间也没有受理任何文档。问题多半在平台一侧，因此没有把文档留待人工。',
      '联系平台，把时间点报给对方；前置机会定时再试，恢复后自动续传。若只积压着一份文档，等到别的文档被受理，就能确认是不是它的问题。',
    ],
    [
      'Platform refuses everything; uploads are stopped',
      'The platform refused several documents in a row, each sent alone, as a whole (400, 413 or 422), without naming an item or a reason, and took no other meanwhile. The platform is probably at fault, so no document is held for a person.',
      'Call the platform and report the times; the agent tries again at intervals and resumes by itself. If only one document is queued, it will show whether it is to blame once another one has been taken.',
    ],
  ),
  'PLT-1313': e(
    'platform',
    [
      '平台一直没有对应的就诊记录',
      '平台要求先有就诊记录；等到期限仍没有。',
      '请检查就诊（ADT）消息是否上传；补传后重发本条。',
    ],
    [
      'The platform never got the parent record',
      'It wants the encounter first, and none came within the time set.',
      'Check whether encounters (ADT) are uploaded; then send this one again.',
    ],
  ),
  // ------------------------------------------------------------ MLLP
  'MLLP-2001': e(
    'agent',
    [
      '监听端口被占用',
      '另一个程序已在使用该端口。',
      '停掉占用端口的程序，前置机随后自动开始监听；或在配置 sources 里换一个 port 后重启。',
    ],
    [
      'Listener port is in use',
      'Another program uses the port.',
      'Stop that program and the agent begins to listen by itself; or change port under sources and restart.',
    ],
  ),
  'MLLP-2002': e(
    'hospital',
    ['来源地址不在白名单', '有系统从未登记的地址连接。', '确认是本院系统后，把它的地址加入该来源的 peers。'],
    [
      'Peer is not on the allow-list',
      'A system connects from an address that is not listed.',
      'If it is one of yours, add its address to peers of the source.',
    ],
  ),
  'MLLP-2003': e(
    'hospital',
    ['数据没有 MLLP 起始符', '收到的字节不在 0x0B 与 0x1C 0x0D 之间，已跳过并计数。', '请发送方厂商确认按 MLLP 发送。'],
    [
      'Bytes without an MLLP start block',
      'Bytes arrived outside 0x0B … 0x1C 0x0D; skipped and counted.',
      'Ask the sender’s vendor to send MLLP frames.',
    ],
  ),
  'MLLP-2004': e(
    'hospital',
    ['消息超过大小上限', '一条消息大于该来源的上限，未接收。', '确认消息正常后提高该来源的 max_message_bytes。'],
    [
      'Message exceeds the size limit',
      'A message is larger than the limit of the source and was not accepted.',
      'If the message is right, raise max_message_bytes of the source.',
    ],
  ),
  'MLLP-2005': e(
    'hospital',
    [
      '消息没有发完',
      '对方开始了一条消息却没有在规定时间内结束它，或中途断开；这部分没有应答也没有保存。',
      '发送方会重发；频繁出现请检查发送方与网络。',
    ],
    [
      'Message was not finished',
      'A message was begun and not ended in time, or the connection broke in its middle; it was neither acknowledged nor stored.',
      'The sender will resend; if frequent, check sender and network.',
    ],
  ),
  'MLLP-2006': e(
    'hospital',
    [
      '消息的字符集无法识别',
      '按声明的字符集、UTF-8 与 GB18030 都无法无误地解码。',
      '请发送方厂商确认编码；或在接入规则里写明 charset。原始字节已保存。',
    ],
    [
      'Charset cannot be decoded',
      'The bytes are not valid in the declared charset, UTF-8 or GB18030.',
      'Ask the vendor for the encoding, or set charset in the source profile. The bytes are kept.',
    ],
  ),
  'MLLP-2007': e(
    'hospital',
    [
      '连接数超过上限',
      '同一地址或全部的连接数到了上限：同一地址静默最久的连接让位给新连接，没有静默超过一分钟的则拒绝新连接。TLS 握手超过一秒仍未完成的连接最先让位。',
      '检查发送方是否反复新建连接而不关闭；确有这么多设备时提高该来源的 max_connections_per_peer 或 max_connections。',
    ],
    [
      'Too many connections',
      'One address, or all together, reached the connection limit: the connection of that address that has been silent longest gives way to the new one, or the new one is refused where none has been silent for a minute. A TLS handshake that takes more than a second gives way first.',
      'Check whether the sender opens connections without closing them; where there are as many devices, raise max_connections_per_peer or max_connections of the source.',
    ],
  ),
  'MLLP-2008': e(
    'hospital',
    [
      '消息内又出现起始符',
      '发送方在未结束的消息里重新开始；前半段已丢弃，未应答。',
      '发送方会重发；频繁出现请联系其厂商。',
    ],
    [
      'Start block inside a message',
      'The sender began anew inside an unfinished message; the partial one was dropped and not acknowledged.',
      'The sender will resend; if frequent, call its vendor.',
    ],
  ),
  'MLLP-2009': e(
    'hospital',
    [
      '对方不读取应答',
      '发送方持续发送却不接收应答，连接已关闭；未应答的消息由发送方重发。',
      '请发送方厂商确认其程序读取 MLLP 应答。',
    ],
    [
      'Sender does not read its acknowledgements',
      'The sender keeps sending and takes no answers; the connection was closed. It will resend what was not answered.',
      'Ask the sender’s vendor to make it read MLLP acknowledgements.',
    ],
  ),
  'MLLP-2011': e(
    'hospital',
    [
      'TLS 握手失败',
      '发送方的 TLS 版本过旧、没有出示证书、证书不是该来源 tls.ca 签发或不在有效期内，或者它不信任本机的证书。没有读取任何数据。',
      '核对双方的 TLS 设置：发送方证书须由 tls.ca 的 CA 签发且在有效期内，发送方须信任本机证书的 CA。',
    ],
    [
      'TLS handshake failed',
      'The sender’s TLS is too old, it showed no certificate, or one that is not of tls.ca of the source or not valid now, or it does not trust ours. No data was read.',
      'Compare the TLS settings of both sides: the sender’s certificate must be valid and issued by tls.ca, and the sender must trust the CA of ours.',
    ],
  ),
  'MLLP-2012': e(
    'hospital',
    [
      '对方用 TLS 连接了不加密的端口',
      '该来源没有配置 tls，而发送方一连接就开始 TLS 握手；连接已关闭。',
      '请发送方关闭 TLS，或在该来源下配置 tls，或让它改连配置了 tls 的端口。',
    ],
    [
      'TLS on a plain port',
      'The source has no tls, and the sender began a TLS handshake; the connection was closed.',
      'Turn TLS off at the sender, configure tls for this source, or let the sender use the port that has it.',
    ],
  ),
  'MLLP-2013': e(
    'hospital',
    [
      '对方没有用 TLS',
      '该来源只接受 TLS，而发送方直接发送了数据；连接已关闭，数据未被接收。',
      '请发送方启用 TLS 并装好客户端证书，或让它改连不加密的端口。',
    ],
    [
      'Plain data on a TLS port',
      'The source takes TLS only, and the sender sent plain data; the connection was closed and nothing was taken.',
      'Turn TLS on at the sender and give it its client certificate, or let it use a plain port.',
    ],
  ),
  'MLLP-2014': e(
    'agent',
    [
      '监听用的证书即将到期或不在有效期内',
      '该来源 tls.cert 的证书所剩有效期不多、已过期或尚未生效；不在有效期内时，发送方会拒绝连接。',
      '向签发方申请新证书，替换 tls.cert 与 tls.key 指定的文件；新连接自动使用新证书，不需重启。',
    ],
    [
      'The listener’s certificate ends soon or is not valid',
      'The certificate named by tls.cert of the source is near its end, past it, or not valid yet; senders refuse to connect when it is not valid.',
      'Have a new certificate issued and replace the files named by tls.cert and tls.key; new connections use it by themselves, without a restart.',
    ],
  ),
  'MLLP-2015': e(
    'agent',
    [
      'HL7 连接内部错误',
      '处理该连接时程序出错，连接已断开；未应答的消息没有确认，其他连接不受影响。',
      '发送方会重连并重发；同一条消息反复如此时，请把支持包交给厂商。',
    ],
    [
      'Internal error in an HL7 connection',
      'The program failed in this connection, which was cut; what was not answered was not confirmed, the others go on.',
      'The sender will reconnect and resend; if the same message does it again and again, give a support bundle to the vendor.',
    ],
  ),
  // ------------------------------------------------------------ HL7
  'HL7-2101': e(
    'hospital',
    ['不是 HL7 v2 消息', '内容不是以 MSH 段开头。已回答错误，未接收。', '请发送方厂商检查所发内容。'],
    [
      'Not an HL7 v2 message',
      'The content does not begin with an MSH segment. Answered with an error, not accepted.',
      'Ask the sender’s vendor to check what is sent.',
    ],
  ),
  'HL7-2102': e(
    'hospital',
    ['缺少必填字段', '消息里没有做报告所必需的字段。', '在接入规则里核对该字段的路径，或请发送方补齐。'],
    [
      'A required field is empty',
      'The message lacks a field without which no report can be made.',
      'Check the path of the field in the source profile, or ask the sender to fill it.',
    ],
  ),
  'HL7-2103': e(
    'hospital',
    [
      '控制号重复但内容不同',
      '同一 MSH-10 收到了不同内容；按两条消息保存。',
      '通常无需操作；多见于仪器重启后编号重来，可在该来源的接入规则中写 control_ids: restarting，不再提示。',
    ],
    [
      'Control id repeated with other content',
      'The same MSH-10 came with other content; stored as two messages.',
      'Usually nothing to do; devices restart their counters: with control_ids: restarting in the source profile it is not told any more.',
    ],
  ),
  'HL7-2104': e(
    'hospital',
    [
      '消息类型不在接入范围',
      '该类型按接入规则不作为报告处理，已应答并计入“已过滤”。',
      '若应当上传，请在接入规则的 types 中加入该类型。',
    ],
    [
      'Message type is not taken',
      'The profile does not take this type; acknowledged and counted as filtered.',
      'If it should be uploaded, add the type under types in the source profile.',
    ],
  ),
  'HL7-2105': e(
    'hospital',
    ['测试消息', 'MSH-11 标明是测试或调试消息，不会上传。', '正式数据请发送方将 MSH-11 设为 P。'],
    [
      'Test message',
      'MSH-11 marks it as training or debugging; it is never uploaded.',
      'For real data the sender must set MSH-11 to P.',
    ],
  ),
  'HL7-2106': e(
    'hospital',
    [
      '消息结构无法处理',
      '段的组合不符合接入规则能处理的形式（例如有结果而没有 OBR）。',
      '请发送方厂商核对消息结构。原始消息已保存。',
    ],
    [
      'Message structure cannot be handled',
      'The segments do not combine into anything the profile can read (for example results without OBR).',
      'Ask the vendor to check the structure. The raw message is kept.',
    ],
  ),
  'HL7-2107': e(
    'hospital',
    [
      '批次里的消息条数与其自报的不符',
      '批次尾段（BTS-1 或 FTS-1）写的条数与实际收到的不同：发送方少发了，或数错了。收到的各条都已单独保存并应答。',
      '请发送方厂商核对该批次，缺的消息重发。',
    ],
    [
      'A batch says another number of messages than it has',
      'The trailer (BTS-1 or FTS-1) does not agree with what came: messages were left out, or miscounted. What came is stored and answered message by message.',
      'Have the sender check the batch and send again what is missing.',
    ],
  ),
  'HL7-2108': e(
    'hospital',
    [
      '消息的字符集靠推断',
      '消息没有标明字符集，或标明的与内容不符；内容明显是 GB18030 中文，已照此读出，原文未改动。',
      '请核对姓名；若该系统一向如此，请在接入规则 intake 下写明 charset: GB18030。',
    ],
    [
      'The character set of a message was inferred',
      'The message does not say its character set, or one that does not fit; what it holds is plainly Chinese in GB18030 and was read so. The message itself is unchanged.',
      'Check the name; where this system always does so, set charset: GB18030 under intake in the source profile.',
    ],
  ),
  'HL7-2110': e(
    'hospital',
    [
      '消息分段续传',
      '发送方把一条消息拆成几条续传（MSH-14 有值，或以 DSC 段结尾）。前置机不拼接，只收一部分会丢内容，所以已回答错误，未保存。',
      '请发送方厂商把每条消息完整地一次发出；若对方因此反复重发，可在接入规则 intake 下写 continuation: ar。',
    ],
    [
      'A message sent in parts (MSH-14 or DSC) is not joined: send it whole',
      'The sender splits a message over several (MSH-14 is filled, or a DSC segment ends it). A part alone would lose content, so it was answered with an error and not stored.',
      'Have the vendor send each message whole; where the sender repeats it for ever, set continuation: ar under intake in the source profile.',
    ],
  ),
  'HL7-2111': e(
    'hospital',
    [
      '消息是 XML 格式',
      '内容以“<”开头，是 XML 写法的消息；前置机只接收竖线分隔（ER7）的 HL7 v2。已回答拒绝，未保存。',
      '请发送方厂商改为发送竖线分隔的 HL7 v2 消息。',
    ],
    [
      'XML is not taken: send HL7 v2 in its vertical-bar encoding (ER7)',
      'The content begins with <: it is a message written in XML. Only HL7 v2 in its vertical-bar encoding is taken. It was refused and not stored.',
      'Have the vendor send HL7 v2 in the vertical-bar encoding.',
    ],
  ),
  'HL7-2112': e(
    'hospital',
    [
      'MSH-15 或 MSH-16 的值不在 HL7 表 0155 中',
      '接入规则按 MSH-15/16 应答，而对方写的值不是 AL、NE、ER、SU；消息照常保存，按普通方式应答一次。',
      '若是迈瑞等在 MSH-16 写 0/1/2 的仪器，把接入规则的 ack 改为 device-mindray；否则改为 original-always，或请厂商改正。',
    ],
    [
      'MSH-15 or MSH-16 holds a value that is not in HL7 table 0155',
      'The profile answers by MSH-15 and MSH-16, and the sender writes neither AL, NE, ER nor SU there. The message is stored and answered once, as in original mode.',
      'For a device that writes 0, 1 or 2 into MSH-16 (Mindray) set ack: device-mindray in the source profile; else original-always, or ask the vendor.',
    ],
  ),
  'HL7-2113': e(
    'hospital',
    [
      '消息的段之间没有换行，只有空格',
      '段尾的回车丢失，段与段以两个空格相连，无法可靠地分开；已回答拒绝，未保存。',
      '请发送方厂商在每段末尾写回车（0x0D）；若对方一向如此且无法修改，可在接入规则 intake 下写 segments_joined: spaces。',
    ],
    [
      'Segments are joined by blanks: end each one with a carriage return (0x0D)',
      'The ends of the segments are lost and two blanks stand in their place. It was refused and not stored.',
      'Have the vendor end each segment with 0x0D; where that cannot be had, set segments_joined: spaces under intake in the source profile.',
    ],
  ),
  'HL7-2114': e(
    'hospital',
    [
      '查询消息，本机不提供查询',
      '对方发来查询（QRY、QBP 等），前置机只接收、不回答查询；已按接入规则回答拒绝。',
      '请把查询改发到能回答的系统；若只是用作心跳，把接入规则的 queries 改为 acknowledge。',
    ],
    [
      'Queries are not answered here',
      'The sender asks a question (QRY, QBP …); the agent takes messages and answers none. Refused by the source profile.',
      'Send queries to a system that answers them; where one is only a sign of life, set queries: acknowledge in the source profile.',
    ],
  ),
  'HL7-2115': e(
    'hospital',
    [
      'HL7 版本不在接入范围',
      'MSH-12 的版本不在接入规则 versions 之列；已回答拒绝，未保存。',
      '若该版本应当接收，把它加入接入规则 intake 的 versions.accept。',
    ],
    [
      'This version of HL7 is not taken',
      'The version in MSH-12 is not listed under versions in the source profile. It was refused and not stored.',
      'If it should be taken, add it to versions.accept under intake in the source profile.',
    ],
  ),
  'HL7-2120': e(
    'hospital',
    [
      '发送方比平时安静得多',
      '按此前几周同一时段的规律，这期间早该有消息，却一条也没有收到；平时间隔与已安静多久见“发送方”。',
      '查看发送系统及其接口服务是否在运行、网络是否通；若科室停诊等属正常，无需处理，下一条消息到达后自动消失。',
    ],
    [
      'A sender is silent for much longer than usual',
      'By what came at these hours in the weeks before, messages should have come and none did. The usual gap and how long it has been silent are shown under Senders.',
      'Check that the sending system and its interface run and that the network works. If the department is closed there is nothing to do; it goes away with the next message.',
    ],
  ),
  'HL7-2121': e(
    'hospital',
    [
      '发送方不在名单内',
      '该来源只接收 senders 所列的发送方（unlisted: refuse），这条消息的地址、MSH-3、MSH-4 与任何一项都不符；已回答拒绝（AR），未保存。',
      '若应当接收：按“发送方”里显示的 MSH-3、MSH-4 和地址在该来源的 senders 下加一项，或改正已有的一项；不应接收则请对方停发。',
    ],
    [
      'The sender is not listed',
      'This source takes the senders listed under senders only (unlisted: refuse), and address, MSH-3 and MSH-4 of the message fit none of them. It was refused (AR) and not stored.',
      'If it should be taken, add an entry under senders of the source with the MSH-3, MSH-4 and address shown under Senders, or correct the one there is; else ask the sender to stop.',
    ],
  ),
  'HL7-2122': e(
    'agent',
    [
      '新区分出的发送方没有写 continues',
      '这个发送方名下还没有收到过消息，而同一来源、同一来源的其他发送方，或一个已不在配置中的名称下收过：其中若有它的报告，今后的更正、作废会成为平台上的另一份报告。',
      '在它的 senders 条目下写明，然后重启。新接入的系统：continues: none（写成别的名称，它的报告会与别人的混在一起）。以前已发过报告：立即写 continues: 以前所用的名称（改名的写原名）。',
    ],
    [
      'A sender that is told apart now has no continues',
      'Nothing has come under the name of this sender yet, and messages came through its source, under another sender of it, or under a name that is no longer configured: if reports of it are among them, their corrections and withdrawals will be other reports at the platform.',
      'Say in its entry under senders which it is, and restart. A new system: continues: none (with the name of another one its reports would mix with those). One that sent reports before: continues with the name they came under, at once (the former name, where it was renamed).',
    ],
  ),
  'HL7-2123': e(
    'hospital',
    [
      '发送方只符合某一项的一部分',
      'senders 里有一项写了几个条件（地址、MSH-3、MSH-4），这条消息符合其中一个、不符合另一个：可能是同一台设备升级后改了名称、换了地址，也可能是另一个系统。按哪个规则处理无法确定，用错规则会把不同患者的报告算成同一份，因此已回答拒绝（AR），未保存；文件留在文件夹里。',
      '按“发送方”里显示的 MSH-3、MSH-4 和地址判断：是同一系统，就在该项补上新的名称或地址（一个地址上只有一台设备时只写 addresses）；是另一个系统，就为它加一项，或在 senders 最后加一项只写地址的。重启后请对方重发被拒绝的消息；文件会自动重读。',
    ],
    [
      'The sender fits an entry only in part',
      'An entry under senders has several criteria (address, MSH-3, MSH-4), and the message fits one and not another: a device that an update renamed or moved, or another system. Which profile is right cannot be known, and by the wrong one reports of different patients may become one; so it was refused (AR) and not stored. A file stays in its folder.',
      'Decide by the MSH-3, MSH-4 and address shown under Senders. If it is the same system, add the new name or address to the entry (for the only device at an address, write addresses only). If it is another one, add an entry for it, or one with the address only as the last under senders. Restart, and have the refused messages sent again; files are read again by themselves.',
    ],
  ),
  'HL7-2130': e(
    'hospital',
    [
      'HL7 文件夹打不开',
      '文件夹不存在、没有读取权限，或网络共享已断开。',
      '检查该来源的 folder 路径、权限与网络共享；恢复后自动继续，无需重启。',
    ],
    [
      'The HL7 folder cannot be read',
      'It does not exist, may not be read, or its network share is gone.',
      'Check folder of this source, its rights and the network share; it goes on by itself, without a restart.',
    ],
  ),
  'HL7-2131': e(
    'hospital',
    [
      '文件没有写完',
      '文件末尾没有换行，批量文件没有结尾段（BTS、FTS），或 MLLP 帧没有结束；在等它写完，过了 give_up_minutes 就留在原处。其中的消息一条也没有收。',
      '请发送方先写临时文件名、写完再改名，或写完另放标记文件（marker）；对方若从不写最后一个换行，在该来源设 open_end: take。文件留在 folder 里没有移动；补完整后自动收下。',
    ],
    [
      'The file is not finished',
      'There is no line end at its end, no trailer (BTS, FTS) at the end of a batch, or an MLLP frame does not end. It is waited for; after give_up_minutes it stays where it is. None of its messages were taken.',
      'Ask the sender to write under a temporary name and to rename, or to add a marker file (marker); if it never ends the last line, set open_end: take for this source. The file still lies in folder; once it is complete it is taken by itself.',
    ],
  ),
  'HL7-2132': e(
    'hospital',
    [
      'HL7 文件夹中有读不了的内容',
      '某个文件或子文件夹没有读取权限、层级过深，或磁盘读取出错；其余文件照常读取。',
      '让运行前置机的账户可以读取全部内容；检查磁盘或网络共享。会自动重试。',
    ],
    [
      'Something in the HL7 folder cannot be read',
      'A file or a folder in it may not be read, lies too deep, or the disk reports an error; all others are read.',
      'Let the account of the agent read everything in it; check the disk or the network share. It is tried again by itself.',
    ],
  ),
  'HL7-2133': e(
    'hospital',
    [
      '文件是 UTF-16 编码',
      '文件以 UTF-16（Windows 的“Unicode”）写成，HL7 消息不能这样传送；文件留在原处，一条也没有收。',
      '请发送方改用 UTF-8 或 GB18030 保存，再放一次。',
    ],
    [
      'The file is UTF-16',
      'The file is written in UTF-16 (“Unicode” in Windows), in which HL7 messages are not exchanged; it stays where it is and none of it was taken.',
      'Ask the sender to save it as UTF-8 or GB18030 and to drop it again.',
    ],
  ),
  'HL7-2134': e(
    'hospital',
    [
      '已收妥的文件移不走',
      '消息已安全保存，但原文件不能归档、移走或删除（权限、占用、磁盘已满）；不会重复读取。',
      '检查监视文件夹与 archive 的写权限和空间，关闭占用该文件的程序。会自动重试。',
    ],
    [
      'A file that was taken cannot be moved away',
      'Its messages are stored safely, but the file cannot be archived, moved or deleted (rights, in use, disk full); it is not read again.',
      'Check write rights and space of the watched folder and of archive, and close what uses the file. It is tried again by itself.',
    ],
  ),
  'HL7-2135': e(
    'agent',
    [
      '归档文件夹设置有误',
      'after 为 move 而没有设置 archive，或 archive.folder 就是监视文件夹、或把它包在里面。',
      '把 archive.folder 设为另一个文件夹（可以是监视文件夹下的子文件夹，该子文件夹不会被读取）。',
    ],
    [
      'The archive folder is set wrongly',
      'after is move and archive is missing, or archive.folder is the watched folder or contains it.',
      'Set archive.folder to another folder (a folder below the watched one will do; it is not read then).',
    ],
  ),
  'HL7-2136': e(
    'agent',
    [
      '读到哪里记不下来',
      '记录哪些文件已读、读到哪里的清单无法写入数据文件夹；大文件会等到能记录时再继续，以免重复。',
      '检查数据文件夹所在磁盘的空间与权限。恢复后自动继续。',
    ],
    [
      'How far files were read cannot be written down',
      'The list in the data folder that says which files were read, and how far, cannot be written; large files wait until it can, so that nothing is stored twice.',
      'Check space and rights of the disk of the data folder. It goes on by itself.',
    ],
  ),
  'HL7-2137': e(
    'hospital',
    [
      'HL7 文件夹里的文件太多',
      '留在文件夹里的已读文件超过能记住的数量；新文件暂不读取，原样保留。',
      '把旧文件移出监视文件夹，或把 after 改为 move。腾出后自动继续。',
    ],
    [
      'Too many files stay in the HL7 folder',
      'More files already read lie in the folder than can be remembered; new ones are not read for now and stay where they are.',
      'Move old files out of the watched folder, or set after to move. It goes on by itself.',
    ],
  ),
  'HL7-2138': e(
    'hospital',
    [
      '应答文件写不出去',
      '消息已安全保存，但应答文件不能写入 answers 文件夹（不存在、没有写权限、磁盘已满）；原文件留在原处，写出应答后再移走。',
      '检查 answers.folder 的路径、写权限与空间。会自动重试，消息不会重复保存。',
    ],
    [
      'The answer file cannot be written',
      'The messages are stored safely, but their answer cannot be written to the answers folder (missing, no right to write, disk full); the file stays where it is until it can.',
      'Check the path, write rights and space of answers.folder. It is tried again by itself; no message is stored twice.',
    ],
  ),
  'HL7-2139': e(
    'hospital',
    [
      '文件在等它的标记文件',
      '该来源设了 marker：发送方写完文件后还要放一个标记文件，现在没有；文件留在原处，尚未读取。',
      '若标记一直不来，请查发送方；若对方并不写标记文件，去掉该来源的 marker。',
    ],
    [
      'The file waits for its marker',
      'marker is set for this source: when a file is whole its sender adds a marker file, and there is none yet; the file stays where it is and is not read.',
      'If the marker never comes, look at the sender; if that writes no markers, remove marker from this source.',
    ],
  ),
  'HL7-2140': e(
    'hospital',
    [
      '文件里有一条消息太大',
      '有一条消息超过 max_message_bytes，没有收，整个文件留在原处；能分清的其他消息已经收下。',
      '若这么大的消息应当接收，在该来源调大 max_message_bytes，再把文件改名或重放。',
    ],
    [
      'A message in the file is too large',
      'A message is larger than max_message_bytes and was not taken; the file stays where it is. Other messages that could be told apart were taken.',
      'If such messages should be taken, raise max_message_bytes of this source and rename the file or drop it again.',
    ],
  ),
  'HL7-2141': e(
    'hospital',
    [
      '文件里的 MLLP 帧不完整',
      '文件以 MLLP 起始字节（0x0B）开头，但有一帧没有结束，或帧外还有别的内容；这之前的消息已经收下，文件留在原处。',
      '请发送方检查文件的写法：要么每条消息都有完整的帧，要么一个也不要。',
    ],
    [
      'Broken MLLP frames in the file',
      'The file begins with an MLLP start byte (0x0B), but a frame in it does not end, or something stands outside of frames. The messages before it were taken; the file stays where it is.',
      'Ask the sender to check how it writes the file: a whole frame around each message, or none at all.',
    ],
  ),
  'HL7-2143': e(
    'hospital',
    [
      'HL7 文件夹里有不是 HL7 的文件',
      '这些文件的前 64 KB 里没有 HL7 消息（MSH、FHS 或 BHS），没有收下，留在原处；其中可能有写坏了的报告。其余文件照常读取。',
      '打开看看它们是什么：是报告，请发送方改正后重新放入；不是，请移走，或在该来源用 include 写明只读哪些文件名。',
    ],
    [
      'Files that are not HL7 lie in the HL7 folder',
      'In their first 64 KB there is no HL7 message (MSH, FHS or BHS). They were not taken and stay where they are; a report that was written wrongly may be among them. All other files are read.',
      'See what they are: if reports, have the sender correct them and drop them again; if not, take them away, or name the files that are to be read with include at this source.',
    ],
  ),
  // ------------------------------------------------------------ DCM
  'DCM-2201': e(
    'hospital',
    [
      'AE 标题未登记',
      '有设备以未登记的 AE 标题请求关联，或呼叫的不是本机的 AE 标题；已拒绝。',
      '确认是本院设备后，把它的 AE 标题加入该来源的 calling_ae_titles；被叫标题须是 ae_titles 之一。AE 标题区分大小写。',
    ],
    [
      'AE title is not listed',
      'A device asked for an association under a calling AE title that is not listed, or called a title that is not ours; it was rejected.',
      'If it is one of your devices, add its AE title to calling_ae_titles of the source; the called title must be one of ae_titles. Upper and lower case differ.',
    ],
  ),
  'DCM-2202': e(
    'hospital',
    [
      '不是 DICOM 文件',
      '文件开头既没有 DICM 标记，也不是 DICOM 数据元素。',
      '通常无需处理；如果应当是影像，请重新导出该文件。',
    ],
    [
      'Not a DICOM file',
      'The file begins neither with the DICM mark nor with a DICOM element.',
      'Usually nothing to do; if it should be an image, export it again.',
    ],
  ),
  'DCM-2203': e(
    'hospital',
    [
      'UID 不合规',
      '影像的 SOP、检查或序列 UID 含有数字和点以外的字符，或超过 64 个字符；平台无法按它登记。',
      '请设备或 PACS 厂商改正 UID 的生成方式后重新发送。',
    ],
    [
      'A UID breaks the rules',
      'The SOP, study or series UID of the image holds something other than digits and dots, or more than 64 characters; no platform can file it.',
      'Ask the vendor of the device or PACS to correct how UIDs are made, then send it again.',
    ],
  ),
  'DCM-2204': e(
    'hospital',
    [
      '文件还没写完',
      '文件结构不完整：仍在写入，或传输中断被截断。超过 give_up_minutes 没有变化后只列出、不再读取；文件原样留在原处。',
      '请重新导出或重新复制该文件。文件一有变化就会自动重新读取。',
    ],
    [
      'The file is not complete',
      'Its structure ends too early: it is still being written, or was cut off. When it has not changed for give_up_minutes it is listed and no longer read; it stays where it is.',
      'Export or copy the file again. It is read anew as soon as it changes.',
    ],
  ),
  'DCM-2211': e(
    'hospital',
    [
      'DICOM 文件头损坏',
      '文件头的结构无法读下去，或在必需的内容之前就断了。',
      '请从设备或 PACS 重新导出或重新发送该影像。原文件不会被改动。',
    ],
    [
      'DICOM header is damaged',
      'The structure of the header cannot be followed, or breaks off before what is needed.',
      'Export or send the image again from the device or PACS. The original is not changed.',
    ],
  ),
  'DCM-2212': e(
    'hospital',
    [
      'DICOM 文件头过长',
      '文件头超过 16 MB 仍没有读到必需的内容。',
      '请设备或 PACS 厂商检查该影像的私有数据；确认正常的影像请联系前置机的维护人员。',
    ],
    [
      'DICOM header is too long',
      'What is needed does not come within the first 16 MB.',
      'Ask the vendor of the device or PACS to check the private data of the image; if it is as it should be, call whoever maintains the agent.',
    ],
  ),
  'DCM-2213': e(
    'hospital',
    [
      '影像缺少 UID',
      '文件头里没有 SOP 类、SOP 实例、检查或序列 UID，无法登记和上传。',
      '请设备或 PACS 厂商检查；缺少 UID 的影像须重新生成后发送。',
    ],
    [
      'The image lacks a UID',
      'SOP class, SOP instance, study or series UID is not in the header; it can be neither filed nor uploaded.',
      'Ask the vendor of the device or PACS; an image without UIDs must be made again and sent.',
    ],
  ),
  'DCM-2214': e(
    'hospital',
    ['介质目录文件，不是影像', '这是光盘或导出目录的 DICOMDIR；它引用的影像文件会各自读取。', '无需处理。'],
    [
      'A media directory, not an image',
      'This is the DICOMDIR of a disc or an export; the image files it lists are read one by one.',
      'Nothing to do.',
    ],
  ),
  'DCM-2215': e(
    'hospital',
    [
      'DICOM 文件结构错误',
      '文件以 DICOM 开头，但后面的数据元素无法逐个读下去。',
      '请从设备或 PACS 重新导出该影像；反复出现请联系其厂商。',
    ],
    [
      'DICOM structure is broken',
      'The file begins as DICOM, but its elements cannot be followed to the end.',
      'Export the image again from the device or PACS; if it recurs, call its vendor.',
    ],
  ),
  'DCM-2216': e(
    'hospital',
    [
      '压缩影像没有写明传输语法',
      '文件头里没有传输语法，而像素数据是压缩过的；前置机不猜测压缩方式。',
      '请从设备或 PACS 按 DICOM 文件格式（带文件头信息）重新导出。',
    ],
    [
      'An encoded image does not say its transfer syntax',
      'The header has no transfer syntax and the pixel data is encoded; the encoding is never guessed.',
      'Export it again from the device or PACS in the DICOM file format, with its file meta information.',
    ],
  ),
  'DCM-2231': e(
    'agent',
    [
      'DICOM 监听端口被占用',
      '另一个程序已在使用该端口。',
      '停掉占用端口的程序，前置机随后自动开始监听；或在配置 sources 里换一个 port 后重启。',
    ],
    [
      'DICOM listener port is in use',
      'Another program uses the port.',
      'Stop that program and the agent begins to listen by itself; or change port under sources and restart.',
    ],
  ),
  'DCM-2232': e(
    'hospital',
    ['DICOM 来源地址不在白名单', '有设备从未登记的地址连接。', '确认是本院设备后，把它的地址加入该来源的 peers。'],
    [
      'DICOM peer is not on the allow-list',
      'A device connects from an address that is not listed.',
      'If it is one of yours, add its address to peers of the source.',
    ],
  ),
  'DCM-2233': e(
    'hospital',
    [
      'DICOM 关联数超过上限',
      '同一地址或全部的关联数到了上限；新关联被暂时拒绝，设备稍后可以重试。TLS 握手超过一秒仍未完成的连接先让位。',
      '检查设备是否反复新建关联而不释放；确有需要时提高 max_associations 或 max_associations_per_peer。',
    ],
    [
      'Too many associations',
      'One address, or all together, reached the limit of associations; new ones are rejected for the moment and may be tried again. A TLS handshake that takes more than a second gives way first.',
      'Check whether the device opens associations without releasing them; if they are needed raise max_associations or max_associations_per_peer.',
    ],
  ),
  'DCM-2234': e(
    'hospital',
    [
      '对方讲的不是 DICOM',
      '连接后收到的第一个数据不是关联请求，常见原因是端口配错，或一方用了 TLS 而另一方没有。',
      '核对对方配置的端口，以及双方是否都启用或都不启用 TLS。',
    ],
    [
      'The peer does not speak DICOM',
      'The first bytes were no association request; often the wrong port, or TLS on one side only.',
      'Check the port that the peer is set to, and that both sides use TLS or neither does.',
    ],
  ),
  'DCM-2235': e(
    'hospital',
    [
      '关联请求无法接受',
      '关联请求的结构有误，或它要求的协议版本、应用上下文不是 DICOM 的；已拒绝。',
      '请设备厂商检查其 DICOM 关联协商。',
    ],
    [
      'Association request cannot be accepted',
      'The request is damaged, or asks for a protocol version or application context that is not DICOM’s; it was rejected.',
      'Have the device’s vendor check its association negotiation.',
    ],
  ),
  'DCM-2236': e(
    'hospital',
    [
      'DICOM 数据单元过长',
      '对方发来的 PDU 长于协商的上限，关联已中止；未完成的影像没有保存。',
      '请设备厂商确认它遵守协商的 PDU 长度；设备会重发。',
    ],
    [
      'DICOM PDU is too long',
      'The peer sent a PDU longer than was agreed; the association was aborted and the unfinished instance not kept.',
      'Have the vendor make the device respect the agreed PDU length; it will resend.',
    ],
  ),
  'DCM-2237': e(
    'hospital',
    [
      '意外的 DICOM 数据单元',
      '收到了不认识的、或此时不应出现的 PDU，关联已中止；未完成的影像没有保存。',
      '设备会重发；频繁出现请联系其厂商。',
    ],
    [
      'Unexpected DICOM PDU',
      'A PDU came that is unknown or out of place; the association was aborted and the unfinished instance not kept.',
      'The device will resend; if frequent, call its vendor.',
    ],
  ),
  'DCM-2238': e(
    'hospital',
    [
      'DICOM 数据片段有误',
      '数据片段的长度、上下文编号或先后次序不对，关联已中止；未完成的影像没有保存。',
      '设备会重发；频繁出现请联系其厂商。',
    ],
    [
      'DICOM fragment is wrong',
      'Length, context id or order of a data fragment is wrong; the association was aborted and the unfinished instance not kept.',
      'The device will resend; if frequent, call its vendor.',
    ],
  ),
  'DCM-2239': e(
    'hospital',
    ['DICOM 命令集有误', '命令集无法读取或过长，关联已中止。', '设备会重发；频繁出现请联系其厂商。'],
    [
      'DICOM command set is wrong',
      'A command set is unreadable or too long; the association was aborted.',
      'The device will resend; if frequent, call its vendor.',
    ],
  ),
  'DCM-2240': e(
    'hospital',
    [
      '关联请求超时',
      '连接后没有在规定时间内完成关联请求（或 TLS 握手），连接已关闭。',
      '检查是否有端口扫描，或设备与网络是否异常。',
    ],
    [
      'Association request did not come in time',
      'After connecting no complete association request (or TLS handshake) came in time; the connection was closed.',
      'Look for port scanners, or for trouble of the device or the network.',
    ],
  ),
  'DCM-2241': e(
    'hospital',
    [
      'DICOM 数据单元没有按时发完',
      '对方开始了一个 PDU 却没有在规定时间内发完，关联已中止；未完成的影像没有保存。',
      '设备会重发；频繁出现请检查设备与网络。',
    ],
    [
      'DICOM PDU was not finished in time',
      'A PDU was begun and not ended in time; the association was aborted and the unfinished instance not kept.',
      'The device will resend; if frequent, check device and network.',
    ],
  ),
  'DCM-2242': e(
    'hospital',
    [
      'DICOM 关联空闲过久',
      '对方在关联中长时间没有发送任何数据，关联已中止。',
      '通常无需操作：设备下次发送时会重新建立关联。若影像正发到一半，设备会重发。',
    ],
    [
      'Association was idle too long',
      'The peer sent nothing for too long; the association was aborted.',
      'Usually nothing to do: the device opens a new one when it sends again. An instance in the middle is sent again.',
    ],
  ),
  'DCM-2243': e(
    'hospital',
    [
      '影像发送中断',
      '对方在一幅影像或一个数据单元发到一半时断开、中止或释放了关联；这一幅没有应答也没有保存。',
      '设备会重发；频繁出现请检查设备与网络。',
    ],
    [
      'Sending broke off in the middle',
      'The peer disconnected, aborted or released in the middle of an instance or a PDU; that instance was neither acknowledged nor kept.',
      'The device will resend; if frequent, check device and network.',
    ],
  ),
  'DCM-2244': e(
    'hospital',
    [
      '影像类别不接收',
      '设备提出的 SOP 类别不是标准的影像存储类，这一类对象无法发来。',
      '若确需接收（例如厂商私有类），把其 UID 加入该来源的 further_sop_classes。',
    ],
    [
      'SOP class is not taken',
      'The device proposed a SOP class that is not one of the standard’s storage classes; such objects cannot be sent here.',
      'If they are wanted (private classes of a vendor), add the UID to further_sop_classes of the source.',
    ],
  ),
  'DCM-2245': e(
    'hospital',
    [
      '命令与协商的类别不符',
      'C-STORE 命令里的 SOP 类别与所用上下文协商的不同，已以 A900 拒绝，未保存。',
      '请设备厂商检查；错配的影像不会被猜测处理。',
    ],
    [
      'Command does not match what was negotiated',
      'The SOP class of a C-STORE differs from that of its context; answered A900 and not kept.',
      'Have the vendor check the device; nothing is guessed.',
    ],
  ),
  'DCM-2246': e(
    'hospital',
    [
      'SOP 实例 UID 不合法',
      'C-STORE 命令里的 SOP Instance UID 缺失、过长或含有不允许的字符，已以 0117 拒绝，未保存。',
      '请设备厂商更正其 UID。',
    ],
    [
      'SOP Instance UID is illegal',
      'The SOP Instance UID of a C-STORE is absent, too long or has characters that are not allowed; answered 0117 and not kept.',
      'Have the vendor correct the device’s UIDs.',
    ],
  ),
  'DCM-2247': e(
    'hospital',
    [
      '不支持的 DICOM 操作',
      '对方要求的不是 C-STORE 或 C-ECHO，已以 0211 回答。',
      '在设备上把本机只配置为存储目的地，不要用于查询、打印或工作列表。',
    ],
    [
      'DICOM operation is not supported',
      'The peer asked for something other than C-STORE or C-ECHO; answered 0211.',
      'Configure this node on the device as a storage destination only, not for query, printing or worklist.',
    ],
  ),
  'DCM-2248': e(
    'hospital',
    [
      '对方不读取 DICOM 应答',
      '设备持续发送却不接收应答，连接已关闭；未应答的影像由设备重发。',
      '请设备厂商确认其程序读取 C-STORE 应答。',
    ],
    [
      'Device does not read its responses',
      'The device keeps sending and takes no responses; the connection was closed. It will resend what was not answered.',
      'Ask the vendor to make the device read its C-STORE responses.',
    ],
  ),
  'DCM-2249': e(
    'hospital',
    [
      'DICOM TLS 握手失败',
      '对方没有用 TLS、版本过旧、没有出示受信任的客户端证书，或不信任本机的证书。',
      '核对双方的 TLS 设置；对方证书须由该来源 tls.ca 的 CA 签发，对方须信任本机证书的 CA。',
    ],
    [
      'DICOM TLS handshake failed',
      'The peer did not use TLS, has too old a version, showed no trusted client certificate, or does not trust ours.',
      'Compare the TLS settings of both sides; the peer’s certificate must be issued by tls.ca of the source, and the peer must trust the CA of ours.',
    ],
  ),
  'DCM-2250': e(
    'hospital',
    ['C-STORE 没有数据集', '存储命令声明不带数据集，无可保存；已以 C000 回答。', '请设备厂商检查所发内容。'],
    [
      'C-STORE without a dataset',
      'The command says that no dataset follows: there is nothing to keep; answered C000.',
      'Have the vendor check what the device sends.',
    ],
  ),
  'DCM-2259': e(
    'agent',
    [
      'DICOM 关联内部错误',
      '处理该关联时程序出错，关联已中止；未应答的影像没有保存，其他关联不受影响。',
      '设备会重发；频繁出现请把支持包交给厂商。',
    ],
    [
      'Internal error in an association',
      'The program failed in this association, which was aborted; what was not acknowledged was not kept, the others go on.',
      'The device will resend; if frequent, give a support bundle to the vendor.',
    ],
  ),
  // ------------------------------------------------------------ DCM watched folder
  'DCM-2261': e(
    'hospital',
    [
      '监视文件夹打不开',
      '文件夹不存在、没有读取权限，或网络共享已断开。',
      '检查该来源的 folder 路径、权限与网络共享；恢复后自动继续，无需重启。',
    ],
    [
      'The watched folder cannot be read',
      'It does not exist, may not be read, or its network share is gone.',
      'Check folder of this source, its rights and the network share; it goes on by itself, without a restart.',
    ],
  ),
  'DCM-2262': e(
    'hospital',
    [
      '监视文件夹中有读不了的内容',
      '某个文件或子文件夹没有读取权限、层级过深，或磁盘读取出错；其余文件照常读取。',
      '让运行前置机的账户可以读取全部内容；检查磁盘或网络共享。会自动重试。',
    ],
    [
      'Something in the watched folder cannot be read',
      'A file or a folder in it may not be read, lies too deep, or the disk reports an error; all others are read.',
      'Let the account of the agent read everything in it; check the disk or the network share. It is tried again by itself.',
    ],
  ),
  'DCM-2263': e(
    'hospital',
    [
      '已保存的文件移不走',
      '影像已安全保存，但原文件不能移到归档文件夹或删除（权限、占用、磁盘已满）；不会重复读取。',
      '检查监视文件夹与 archive 的写权限和空间，关闭占用该文件的程序。会自动重试。',
    ],
    [
      'A stored file cannot be moved away',
      'The image is stored safely, but its file cannot be moved to the archive or deleted (rights, in use, disk full); it is not read again.',
      'Check write rights and space of the watched folder and of archive, and close what uses the file. It is tried again by itself.',
    ],
  ),
  'DCM-2264': e(
    'agent',
    [
      '归档文件夹设置有误',
      'after 为 move 而没有设置 archive，或 archive 就是监视文件夹、或把它包在里面。',
      '把 archive 设为另一个文件夹（可以是监视文件夹下的子文件夹，该子文件夹不会被读取）。',
    ],
    [
      'The archive folder is set wrongly',
      'after is move and archive is missing, or archive is the watched folder or contains it.',
      'Set archive to another folder (a folder below the watched one will do; it is not read then).',
    ],
  ),
  'DCM-2265': e(
    'agent',
    [
      '已读文件清单写不进去',
      '记录哪些文件已读的清单无法写入数据文件夹；接收继续，但重启后这些文件可能再读一次，会被识别为重复。',
      '检查数据文件夹所在磁盘的空间与权限。恢复后自动重写。',
    ],
    [
      'The list of files already read cannot be written',
      'The list in the data folder that says which files were read cannot be written; receiving goes on, but after a restart those files may be read again and are recognised as duplicates.',
      'Check space and rights of the disk of the data folder. It is rewritten by itself.',
    ],
  ),
  'DCM-2266': e(
    'hospital',
    [
      '监视文件夹里的文件太多',
      '留在文件夹里的已读文件超过能记住的数量；新文件暂不读取，原样保留。',
      '把旧文件移出监视文件夹，或把 after 改为 move。腾出后自动继续。',
    ],
    [
      'Too many files stay in the watched folder',
      'More files already read lie in the folder than can be remembered; new ones are not read for now and stay where they are.',
      'Move old files out of the watched folder, or set after to move. It goes on by itself.',
    ],
  ),
  // ------------------------------------------------------------ DCM imaging platforms (DICOMweb)
  'DCM-2271': e(
    'platform',
    [
      '影像平台没有说明该影像是否入库',
      '回答里既没有把它列为已存，也没有列为失败，或回答为空、看不懂。',
      '无需操作：按未入库处理并自动重传，重复上传同一影像无害。持续出现请把时间点报给平台。',
    ],
    [
      'The imaging platform did not say whether it stored the image',
      'The answer lists it neither as stored nor as failed, or is empty or not understood.',
      'Nothing to do: treated as not stored and sent again; the same image twice does no harm. If it lasts, report the times to the platform.',
    ],
  ),
  'DCM-2272': e(
    'platform',
    [
      '影像平台资源不足',
      '平台因存储空间或内存不足没有存下该影像（失败原因 A7xx 或 0213）。',
      '无需操作：自动重传。长时间不恢复请联系平台扩容。',
    ],
    [
      'The imaging platform is out of resources',
      'It could not store the image for want of space or memory (failure reason A7xx or 0213).',
      'Nothing to do: sent again automatically. Call the platform if it lasts.',
    ],
  ),
  'DCM-2273': e(
    'platform',
    [
      '影像平台处理失败',
      '平台在存储该影像时出了故障（失败原因 0110），或没有给出原因。',
      '无需操作：自动重传。同一影像反复失败时请把时间点报给平台。',
    ],
    [
      'The imaging platform failed to process the image',
      'It had a fault while storing the image (failure reason 0110), or gave no reason.',
      'Nothing to do: sent again automatically. If the same image keeps failing, report the times to the platform.',
    ],
  ),
  'DCM-2274': e(
    'platform',
    [
      '影像平台不支持这种影像',
      '平台不接受该影像的 SOP 类（0122）或传输语法（C122、415）。',
      '联系平台开通该类影像；前置机不转码、不改写影像。开通后重发。',
    ],
    [
      'The imaging platform does not support this kind of image',
      'It does not take the SOP class (0122) or transfer syntax (C122, 415) of the image.',
      'Ask the platform to take it; images are never transcoded or rewritten here. Then send it again.',
    ],
  ),
  'DCM-2275': e(
    'platform',
    [
      '影像平台报告冲突',
      '平台回答 409：同一 SOP 实例号下已有内容不同的影像，或者它认为影像数据有误，没有存下。',
      '与影像科和平台核对该检查哪一份正确；需要替换时由平台先删除旧的，再重发。',
    ],
    [
      'The imaging platform reports a conflict',
      'It answered 409: other content is stored under the same SOP Instance UID, or it finds the data at fault.',
      'Have radiology and the platform compare which one is right; to replace it the platform deletes the old one first, then send it again.',
    ],
  ),
  'DCM-2276': e(
    'hospital',
    [
      '影像平台认为影像数据不合格',
      '平台读不懂该影像，或其内容与 SOP 类不符（失败原因 A9xx、Cxxx、0117）。',
      '在“待人工处理”里查看平台代码，请设备或 PACS 厂商检查该影像；更正后重新发送。',
    ],
    [
      'The imaging platform finds the image data at fault',
      'It cannot understand the image, or its content does not match its SOP class (failure reason A9xx, Cxxx, 0117).',
      'See the platform code under "held for a person"; have the vendor of the device or PACS check the image and send a corrected one.',
    ],
  ),
  'DCM-2277': e(
    'platform',
    [
      '影像平台不允许存这份影像',
      '平台对这一份影像回答没有权限（失败原因 0124），其他影像不受影响。',
      '联系平台核对本机构可上传的影像范围，开通后重发。',
    ],
    [
      'The imaging platform does not allow this image',
      'It answered "not authorised" for this one image (failure reason 0124); others are not affected.',
      'Ask the platform which images this institution may upload; then send it again.',
    ],
  ),
  'DCM-2278': e(
    'agent',
    [
      '影像所在的请求被放弃',
      '同一请求里的另一份影像在本机读出时损坏，或两份影像的 SOP 实例号相同，不能放在一个请求里。',
      '无需操作：这份影像会自动再传。',
    ],
    [
      'The request that held the image was given up',
      'Another image of the request was found damaged here, or two images have the same SOP Instance UID and cannot share a request.',
      'Nothing to do: this image goes again by itself.',
    ],
  ),
  // ------------------------------------------------------------ DCM stored images
  'DCM-2281': e(
    'agent',
    ['没有这个编号的检查', '前置机没有这个编号的影像检查。', '用 qianzhi study find 查出检查编号。'],
    [
      'No study with that number',
      'The agent has no imaging study with that number.',
      'Find its number with qianzhi study find.',
    ],
  ),
  'DCM-2282': e(
    'agent',
    ['没有这个编号的影像', '前置机没有这个编号的影像。', '用 qianzhi study show 查出影像编号。'],
    [
      'No image with that number',
      'The agent has no image with that number.',
      'Find its number with qianzhi study show.',
    ],
  ),
  'DCM-2283': e(
    'agent',
    [
      '没有这个影像平台',
      '给出的名称不是配置中的影像平台，也没有影像曾要传给它。',
      '用 qianzhi config show 查看平台名称。',
    ],
    [
      'No such platform for images',
      'The name is not that of a configured platform for images, and no image was ever to go there.',
      'See the names with qianzhi config show.',
    ],
  ),
  'DCM-2284': e(
    'agent',
    ['检查没有撤回', '只有已撤回的检查才登记平台的删除。', '先用 qianzhi study withdraw 撤回检查。'],
    [
      'The study is not withdrawn',
      'That the platform deleted a study is noted only where the study is withdrawn.',
      'Withdraw it first with qianzhi study withdraw.',
    ],
  ),
  'DCM-2285': e(
    'agent',
    [
      '平台仍在配置中',
      '要放弃的影像平台仍在配置中，影像仍要传给它。',
      '确实不再使用时，先从配置中删除该平台并重启前置机。',
    ],
    [
      'The platform is still configured',
      'The platform for images that is to be given up is still configured, and images go there.',
      'If it is not used any more, remove it from the configuration and restart the agent first.',
    ],
  ),
  'DCM-2286': e(
    'agent',
    ['查询内容不能用', '要查的编号是空的，或超过 256 个字符。', '给出完整的检查号、检查 UID 或患者编号。'],
    [
      'The search cannot be done',
      'What is looked for is empty, or longer than 256 characters.',
      'Give the whole accession number, study UID or patient ID.',
    ],
  ),
  'DCM-2290': e(
    'hospital',
    [
      '恢复的检查有影像须由 PACS 重新发送',
      '检查撤回后平台已删除这些影像，本机的文件也已按保留期清理；检查恢复后无法由本机重新上传。',
      '请 PACS 或设备重新发送该检查；收到后自动上传，这一提示随即消除。',
    ],
    [
      'A restored study has images that the PACS has to send again',
      'After the study was withdrawn the platform deleted these images, and their files here were let go of after their retention: now that it is restored they cannot be uploaded from here.',
      'Have the PACS or the device send the study again; what comes is uploaded, and this notice goes.',
    ],
  ),
  'DCM-2291': e(
    'hospital',
    [
      '同一影像编号有两份不同内容',
      '收到的影像与已存影像的 SOP Instance UID 相同而内容不同；两份都已保存，后到的一份不自动上传。',
      '请核对设备或 PACS 为何以同一编号发出两份内容；确认后到的一份正确时，请平台删除先到的一份，并由设备或 PACS 以新编号重新发送。',
    ],
    [
      'Two contents under one image UID',
      'An image came with the SOP Instance UID of a stored one and with other content; both are kept, the later one is not uploaded by itself.',
      'Find out why the device or PACS sent two contents under one UID. If the later one is right, ask the platform to delete the earlier one and have the sender send it under a UID of its own.',
    ],
  ),
  'DCM-2292': e(
    'hospital',
    [
      '影像编号前后不一',
      '传输时声明的 SOP Instance UID 与影像文件头里的不同；影像已保存，不上传。',
      '请设备或 PACS 厂商更正后重新发送该影像。',
    ],
    [
      'The image’s UID is not the one announced',
      'The SOP Instance UID told in transfer differs from the one in the image’s header; the image is kept and not uploaded.',
      'Have the device or PACS vendor correct it and send the image again.',
    ],
  ),
  'DCM-2293': e(
    'platform',
    [
      '平台的影像数少于已上传数',
      '平台逐个确认收到了检查的全部影像，而查询到的影像数较少。',
      '请平台核对该检查缺了哪些影像；平台不能自行恢复时，用 qianzhi study resend 或在状态页上重发该检查。',
    ],
    [
      'The platform has fewer images than it accepted',
      'The platform accepted each image of a study and counts fewer when asked.',
      'Have the platform find out which images of the study it lacks. Where it cannot restore them, send the study again with qianzhi study resend or on the status page.',
    ],
  ),
  'DCM-2294': e(
    'platform',
    [
      '已撤回的检查在平台上仍有影像',
      '检查被撤回之前，已有影像上传到平台，或上传时没有得到明确回答、平台可能已收下；平台没有删除接口。',
      '请平台查找并删除该检查的影像；平台确认删除后，用 qianzhi study deleted 登记，这一提示随即消除。',
    ],
    [
      'A withdrawn study has images at the platform',
      'Before the study was withdrawn, images of it were uploaded, or sent without a clear answer so that the platform may have them; the platform offers no deletion.',
      'Have the platform look for the images of the study and delete them. When it says that it did, note it with qianzhi study deleted; this is gone then.',
    ],
  ),
  'DCM-2295': e(
    'hospital',
    [
      '一个检查里有不同的患者信息',
      '同一检查的影像里患者编号、姓名、性别或出生日期互相矛盾，可能混入了另一位患者的影像。',
      '请影像科核对该检查；矛盾出现后的索引不会上传，已上传的影像请通知平台。混入他人影像时用 qianzhi study withdraw 撤回，并由设备以新的检查编号重新发送。',
    ],
    [
      'One study speaks of different patients',
      'Images of one study contradict each other about patient number, name, sex or birth date; another patient’s images may be among them.',
      'Have the imaging department check the study; no index that contradicts itself is uploaded; tell the platform of images that were. Where images are another patient’s, withdraw it with qianzhi study withdraw and have the device send them again under a study UID of their own.',
    ],
  ),
  'DCM-2298': e(
    'hospital',
    [
      '影像文字的字符集靠推断',
      '影像没有标明字符集，或标明的与内容不符；姓名等文字按内容推断读出，影像本身未改动。',
      '请核对姓名；若该设备一向如此，可在接入规则中写明 charset。',
    ],
    [
      'The character set of the images was inferred',
      'The images do not say their character set, or say one that does not fit; names were read by what the bytes are. The images themselves are unchanged.',
      'Check the name; where a device always does so, name its charset in the source profile.',
    ],
  ),
  'DCM-2296': e(
    'agent',
    [
      '影像的来源已不在配置中',
      '影像在读取文件头之前，它的来源已从配置中删除，不知道该按哪种规则读取；影像已保存，不上传。',
      '恢复该来源的配置并重启，然后用 qianzhi instance resend 重新读取。',
    ],
    [
      'The image’s source is not configured any more',
      'The source was removed from the configuration before the image’s header was read, and by which rules it is to be read is not known; the image is kept and not uploaded.',
      'Put the source back into the configuration and restart, then have the image read again with qianzhi instance resend.',
    ],
  ),
  'DCM-2297': e(
    'agent',
    [
      '影像要去的平台已不在配置中',
      '这些影像收到时要传给的影像平台后来从配置中删除或改了名；它们不会再传给该平台。',
      '如属误删或误改，恢复该平台的配置；如平台已改名或更换，请由 PACS 重新发送这些影像，本机会把它们传给现在的平台，然后用 qianzhi study forget-platform 消除这一提示。',
    ],
    [
      'The platform of the images is not configured any more',
      'The imaging platform these images were to go to was removed from the configuration, or has another name now; they go there no more.',
      'If that was a mistake, put the platform back into the configuration. If it was renamed or replaced, have the PACS send the images again: they then go to the platforms of today; qianzhi study forget-platform then settles this.',
    ],
  ),
  'DCM-2299': e(
    'hospital',
    [
      '检查报告与影像同号而患者不符',
      '检查报告与影像检查的检查号（Accession Number 等）相同，但姓名、性别或出生日期互相矛盾；两者没有关联，双方也都没有关联到别的。号码重复使用或写错、姓名登记不一致，都会这样；并不说明影像一定传错了人。',
      '先核对号码：请影像科查这份报告和这个检查的检查号是否各自正确，是否重复使用了同一号码；写错号码、姓名、性别或出生日期的一方由 RIS 或 PACS 更正后重新发送，收到更正后自动重新比对。各自都正确、只是号码相同时不用处理，各自的影像和报告到齐后提示自动消失。只有看过影像、确认影像挂在了另一患者名下，才把检查撤回，由设备以正确的信息重新发送。',
    ],
    [
      'A report and images of one number, of different people',
      'An exam report and a study have a number in common (accession number or the like) and contradict each other about name, sex or birth date; they are not linked, nor is either with anything else. A number that was used again or mistyped does that, and so does a name that was entered differently; it does not mean that the images went out as another person’s.',
      'Check the number first: have the imaging department look whether report and study each have their own, and whether one number was used twice. Whoever has number, name, sex or birth date wrong corrects it in RIS or PACS and sends again: a correction is compared by itself. Where both are right and only the number is the same, nothing is to be done: it disappears when each has found its own. Withdraw the study only after somebody has looked at the images and they are under another patient’s name; then have the device send them anew.',
    ],
  ),
  'DCM-2301': e(
    'hospital',
    [
      '影像检查没有对应的检查报告',
      '检查超过设定时间（data.report_wait_hours）仍没有关联到检查报告：报告还没有发来，两边号码不同，影像里没有检查号，两边日期相差 90 天以上，或同一号码被 32 份以上的报告或检查使用。影像和报告照常上传。',
      '请影像科确认报告是否已出、RIS 是否已发送；号码所在的字段不对时，改接入规则：影像一方是 report_numbers，报告一方是 exam 的 accession_numbers 与 number。来报告或更正后提示自动消失；不需要此提示时把 data.report_wait_hours 设为 0。',
    ],
    [
      'Studies without an exam report',
      'For longer than set (data.report_wait_hours) no exam report was linked with the study: none was sent yet, the numbers differ, the images name none, the days are more than 90 apart, or more than 32 reports or studies use the same one. Images and reports are uploaded all the same.',
      'Ask the imaging department whether the report is written and the RIS has sent it. Where the number stands in another field, change the source profile: report_numbers for images, accession_numbers and number under exam for reports. It disappears when the report or a correction comes; set data.report_wait_hours to 0 not to be told.',
    ],
  ),
  'DCM-2302': e(
    'hospital',
    [
      '检查报告没有对应的影像',
      '带检查号的检查报告超过设定时间（data.report_wait_hours）仍没有关联到影像：影像还没有推送，推送漏了，两边号码不同，或日期相差 90 天以上。影像和报告照常上传。',
      '请在 PACS 上核对该检查是否已推送到本机；号码所在的字段不对时，改接入规则：报告一方是 exam 的 accession_numbers 与 number，影像一方是 report_numbers。影像到达后提示自动消失；只有部分类别的检查有影像时，在 data.image_categories 里写明是哪些；完全不需要此提示时把 data.report_wait_hours 设为 0。',
    ],
    [
      'Exam reports without images',
      'For longer than set (data.report_wait_hours) no images were linked with an exam report that has an accession number: they were not pushed yet, the push missed them, the numbers differ, or the days are more than 90 apart. Images and reports are uploaded all the same.',
      'Look in the PACS whether the study was pushed here. Where the number stands in another field, change the source profile: accession_numbers and number under exam for reports, report_numbers for images. It disappears when the images come. Where only some categories of examination have images, name them in data.image_categories; set data.report_wait_hours to 0 not to be told at all.',
    ],
  ),
  // ------------------------------------------------------------ MAP mapping and rendering
  'MAP-3001': e(
    'hospital',
    ['代码没有对照', '某个代码在对照表里查不到，不能猜。', '在对照表中补上该代码；补好后会重新处理。'],
    [
      'Code is not mapped',
      'A code is not in its table and is never guessed.',
      'Add the code to the table; what is held is then processed again.',
    ],
  ),
  'MAP-3002': e(
    'agent',
    ['文档不符合规范', '生成的内容放不进平台要求的格式。', '查看所指元素，核对省级规范包与数据。'],
    [
      'Document does not fit the format',
      'The content does not fit what the platform’s format demands.',
      'Look at the element named; check the province pack and the data.',
    ],
  ),
  'MAP-3003': e(
    'hospital',
    [
      '缺少患者院内编号',
      '消息或影像里没有能确定患者的编号。',
      '消息：核对接入规则中 patient.in_house 的路径，或请发送方补齐。影像：请设备厂商填写 Patient ID (0010,0020)。',
    ],
    [
      'In-house patient number is missing',
      'No number in the message or the images tells which patient it is.',
      'Messages: check the path patient.in_house in the profile, or ask the sender to fill it. Images: have the device fill Patient ID (0010,0020).',
    ],
  ),
  'MAP-3004': e(
    'hospital',
    [
      '身份证号与出生日期或性别矛盾',
      '身份证号校验正确，但与消息里的出生日期或性别不一致（常见于新生儿用母亲证件）。',
      '请登记处核对患者身份。该报告暂不上传。',
    ],
    [
      'Resident ID contradicts birth date or sex',
      'The ID is valid but does not agree with birth date or sex in the message (often a newborn with the mother’s ID).',
      'Have registration check the patient. The report is not uploaded meanwhile.',
    ],
  ),
  'MAP-3005': e(
    'hospital',
    [
      '患者类别未知',
      '就诊类别（门诊/急诊/住院/体检）缺失或不在对照表里，不能猜。',
      '在接入规则的 patient_class 表中补上该代码，或请发送方填写 PV1-2。',
    ],
    [
      'Patient class is unknown',
      'The class (outpatient, emergency, inpatient, check-up) is missing or not in the table, and is never guessed.',
      'Add the code to the table patient_class of the profile, or have the sender fill PV1-2.',
    ],
  ),
  'MAP-3006': e(
    'hospital',
    [
      '报告状态未知',
      '报告或项目的状态代码缺失或不在状态表里，不能当作正式报告。',
      '向厂商核实该代码的含义，补进接入规则的 tables.report_status（整份）或 item_status（项目）。',
    ],
    [
      'Report status is unknown',
      'A status code of report or item is missing or not in the status table; it is never taken as final.',
      'Have the vendor say what the code means, then add it to tables.report_status or item_status of the source profile.',
    ],
  ),
  'MAP-3007': e(
    'hospital',
    [
      '更正与现有报告对不上',
      '更正或后到的结果缺少现有报告里的项目，或撤回所带的报告时间比现有版本早；自动处理可能丢项或误删。',
      '请检验科重发整份报告或撤回；若该系统总是只发改动，请在接入规则中设 corrections: delta。',
    ],
    [
      'A correction does not fit the report',
      'A correction or a later result lacks parts that the report has, or a withdrawal names an older report time; going on could lose a result or take a right one away.',
      'Have the whole report or the withdrawal sent again; if this system always sends changes only, set corrections: delta in its source profile.',
    ],
  ),
  'MAP-3008': e(
    'hospital',
    ['缺少报告单号', '按接入规则的路径找不到报告单号，无法识别同一份报告。', '核对接入规则中 report.number 的路径。'],
    [
      'Report number is missing',
      'The profile’s path yields no report number, so versions cannot be told.',
      'Check the path report.number in the profile.',
    ],
  ),
  'MAP-3009': e(
    'hospital',
    [
      '文档必需的身份要素缺失',
      '省级规范包标为必需的要素在记录中没有。',
      '按所指要素请发送方或设备补齐；消息另请核对接入规则的路径。',
    ],
    [
      'An identity element of the document is missing',
      'An element that the pack marks as identity is absent from the record.',
      'Have the sender or device fill the element named; for messages check its path in the profile too.',
    ],
  ),
  'MAP-3010': e(
    'hospital',
    [
      '文本含有文档不允许的字符',
      '内容里有 XML 不允许的控制字符；临床内容不会被擅自改动。',
      '请发送方厂商去除控制字符后重发。',
    ],
    [
      'Text holds characters a document must not have',
      'The content has control characters illegal in XML; clinical content is never altered.',
      'Have the vendor remove the control characters and resend.',
    ],
  ),
  'MAP-3011': e(
    'hospital',
    [
      '同一报告号属于另一患者或另一种报告',
      '该报告号先前属于另一位患者，或是另一种报告（检验与检查），自动处理可能张冠李戴。',
      '请检验科或检查科核对报告号与患者；该消息暂不上传。',
    ],
    [
      'Report number belongs to another patient or kind of report',
      'This report number was another patient’s, or that of another kind of report (laboratory, examination).',
      'Have the department check number and patient; the message is not uploaded meanwhile.',
    ],
  ),
  'MAP-3012': e(
    'hospital',
    ['日期时间无法理解', '某个时间字段不是有效的日期时间。', '请发送方厂商核对该字段。'],
    [
      'Date or time is not understood',
      'A time field is not a valid date or time.',
      'Ask the vendor to check the field.',
    ],
  ),
  'MAP-3013': e(
    'agent',
    [
      '处理程序出错',
      '处理该消息时程序内部出错；已单独留下，其他消息继续。',
      '请把该编号和支持包交给厂商。原始消息已保存。',
    ],
    [
      'Processing failed',
      'The program failed on this message; it was set aside and the others go on.',
      'Give the number and a support bundle to the vendor. The raw message is kept.',
    ],
  ),
  'MAP-3014': e(
    'hospital',
    ['等待正式报告', '目前只有预报告或未完成的结果，正式报告到达后上传。', '无需操作。'],
    [
      'Waiting for the final report',
      'Only a preliminary or unfinished result so far; uploaded when the final one comes.',
      'Nothing to do.',
    ],
  ),
  'MAP-3020': e(
    'hospital',
    [
      '上下文要素缺失',
      '一项说明性要素（诊断、方法、标本状态等）缺失，已按规范包的规则处理。',
      '可请发送方补齐以提高数据质量。',
    ],
    [
      'A context element is missing',
      'A context element (diagnosis, method, specimen state …) is absent; the pack’s rule was applied.',
      'Have the sender fill it to raise data quality.',
    ],
  ),
  'MAP-3021': e(
    'hospital',
    ['身份证号校验不通过', '号码的校验位不对，未作为身份证号使用。', '请登记处核对证件号。'],
    [
      'Resident ID fails its checksum',
      'The check digit is wrong; the number is not used as resident ID.',
      'Have registration check the number.',
    ],
  ),
  'MAP-3022': e(
    'hospital',
    ['报告时间在未来', '报告时间晚于接收时间，不用于判断先后。', '请校准发送方时钟。'],
    [
      'Report time is in the future',
      'The report time is later than the arrival; it is not used for ordering.',
      'Set the sender’s clock.',
    ],
  ),
  'MAP-3023': e(
    'hospital',
    ['数值无法以平台的数字格式表达', '数值超出平台规定的位数，已按原文放入文本，未做四舍五入。', '无需操作。'],
    [
      'Number does not fit the platform’s number format',
      'The value has more digits than allowed; it is carried as text, never rounded.',
      'Nothing to do.',
    ],
  ),
  'MAP-3024': e(
    'hospital',
    [
      '附件未随报告转换',
      '报告带有附件（ED、RP、波形或影像地址），平台的文档里没有放它的位置，或附件无法解开。',
      '结论若只在附件里，请发送方同时以文字或数值发送。原始消息已保存。',
    ],
    [
      'An attachment is not carried',
      'The report has an attachment (ED, RP, a waveform or an address of images) that the platform’s document has no place for, or that cannot be opened.',
      'If a result is only there, have the sender send it as text or number too. The raw message is kept.',
    ],
  ),
  'MAP-3025': e(
    'hospital',
    [
      '患者合并自相矛盾',
      '合并消息把一个号码并入它自己，或与先前的合并方向相反、成环。',
      '请信息科核对该患者的合并记录后重发；两位患者的数据各自保持原样。',
    ],
    [
      'Contradictory patient merge',
      'The merge names one number twice, or turns an earlier merge round or into a circle.',
      'Check the merges of this patient and send again; both patients stay as they are meanwhile.',
    ],
  ),
  'MAP-3026': e(
    'hospital',
    [
      '等待患者基本信息',
      '报告里没有患者姓名等信息，登记消息（ADT）还没有到。',
      '无需处理：登记消息一到就继续；超过设定时间会带标记继续。',
    ],
    [
      'Waiting for the patient’s demographics',
      'The report has no name or the like, and no registration (ADT) has come yet.',
      'Nothing to do: it goes on as soon as the registration comes, or flagged after the time set.',
    ],
  ),
  'MAP-3027': e(
    'hospital',
    ['始终没有患者基本信息', '等待时间已过，登记消息仍未到。', '请检查 ADT 接口是否在发送该患者的登记消息。'],
    [
      'Demographics never came',
      'The time to wait is over and no registration came.',
      'Check whether the ADT interface sends registrations of this patient.',
    ],
  ),
  'MAP-3028': e(
    'hospital',
    [
      '等待同一报告的其余项目',
      '该来源逐项发送；静默期内再无新项目才发布。',
      '无需处理；静默期由接入规则的 assembly 决定。',
    ],
    [
      'Waiting for the other tests of the report',
      'This source sends test by test; the report goes out when none came for a while.',
      'Nothing to do; the time is set by assembly in the source profile.',
    ],
  ),
  'MAP-3029': e(
    'hospital',
    [
      '身份与已知患者矛盾',
      '同一院内编号下，身份证号或出生日期与先前登记的不同，可能是另一个人。',
      '请信息科核对该院内编号；核对前该消息不上传。',
    ],
    [
      'Identity contradicts the known patient',
      'Under this in-house number another resident ID or birth date is known; it may be somebody else.',
      'Check this in-house number; the message is not uploaded meanwhile.',
    ],
  ),
  'MAP-3030': e(
    'hospital',
    [
      '报告换了患者',
      '同一报告号先前属于另一位患者：已撤回旧报告，并在现患者名下发布。',
      '请检验科确认：旧患者名下的报告确属发错。',
    ],
    [
      'The report changed its patient',
      'This report number was another patient’s: that report was withdrawn and this one published.',
      'Have the laboratory confirm that the former one was wrong.',
    ],
  ),
  'MAP-3031': e(
    'hospital',
    [
      '危急值还在等正式报告',
      '检验或检查系统标明危急值的报告尚未审核，正式报告到来前不上传平台；危急值的通知不经过前置机。',
      '请确认临床已按危急值制度接到通知，并请科室尽快审核报告；正式报告到达后自动上传，本提示随之消失。',
    ],
    [
      'A critical value still waits for its final report',
      'A report with a value that its sender marks as critical is not final; only finals are uploaded. Alerting the ward is not the agent’s part.',
      'Make sure the ward was told by the hospital’s own rule, and have the department finish the report; it is uploaded when the final comes, and this entry goes.',
    ],
  ),
  'MAP-3040': e(
    'hospital',
    [
      '不知道属于哪个机构',
      '消息没有写明机构，或写的机构不在接入规则的对照表里。归错机构就可能归错患者，所以暂不处理。',
      '在接入规则的 tables.organisations 里补上这一写法，或核对 organisation.path；改好并重启后自动重新处理。',
    ],
    [
      'The institution is not known',
      'The message names no institution, or one that is not in the table of the source profile. Under a wrong one it could reach a wrong patient, so it waits.',
      'Add the value as sent to tables.organisations of the profile, or check organisation.path; after a restart it is tried again by itself.',
    ],
  ),
  'MAP-3041': e(
    'hospital',
    [
      '机构已不在配置里',
      '这份记录属于另一家机构，而配置的 site.institutions 里已没有它，不知道以什么名称上传。',
      '在 site.institutions 里加回该机构的代码与名称，重启后自动继续；该机构确已退出的，无需处理。',
    ],
    [
      'The institution is no longer configured',
      'The record belongs to another institution, which site.institutions no longer lists: under what name it goes out is not known.',
      'Add code and name of the institution to site.institutions again; after a restart it goes on. If it has left for good, nothing is to be done.',
    ],
  ),
  'MAP-3042': e(
    'agent',
    [
      '这个来源不区分机构',
      '配置里有另外的机构（site.institutions），而这个来源的接入规则没有 organisation 一节：收到的全部算本机构的。',
      '只有本机构往这里发的，无需处理；别的机构也发的，请在接入规则里加 organisation 与 tables.organisations。',
    ],
    [
      'This source tells no institutions apart',
      'Further institutions are configured (site.institutions), and the profile of this source has no section organisation: all that comes counts as the site’s own.',
      'Where only the site itself sends here, nothing is to be done. Where another institution does as well, add organisation and tables.organisations to the profile.',
    ],
  ),
  'MAP-3043': e(
    'hospital',
    [
      '不知道是患者的结果还是质控',
      '仪器在标明“样本、定标、质控”的位置写了接入规则里没有的值。质控绝不能当作患者的结果，所以暂不处理。',
      '向厂商核实该值的含义，补进接入规则的 quality_control：患者样本写进 patient，质控或定标写进 values；重启后自动重新处理。',
    ],
    [
      'A patient’s result or quality control is not known',
      'Where the device says sample, calibration or QC stands a value that the source profile does not list. QC must never become a patient’s result, so it waits.',
      'Have the vendor say what the value means and add it to quality_control of the profile: to patient, or to values for QC and calibration; after a restart it is tried again by itself.',
    ],
  ),
  'MAP-3044': e(
    'hospital',
    [
      '要撤回的报告是区分机构之前上传的',
      '该报告上传时还没有区分机构，是以本机构的代码上传的；这条撤回属于另一家机构，自动撤不到它。',
      '请联系平台撤回先前以本机构代码上传的那份报告。这条消息一直留待人工，作为记录。',
    ],
    [
      'The report to withdraw was sent before institutions were told apart',
      'It went out under the code of the site itself. This withdrawal belongs to another institution and does not reach it by itself.',
      'Ask the platform to withdraw the report that went out under the site’s own code. The message stays held, as a record.',
    ],
  ),
  // ------------------------------------------------------------ QUE store
  'QUE-4001': e(
    'agent',
    [
      '磁盘空间不足',
      '可用空间低于 4 %，转换已暂停，接收继续。',
      '清理磁盘或扩容；空间恢复后自动继续。不要删除数据文件夹里的文件。',
    ],
    [
      'Disk is low',
      'Less than 4 % is free; mapping has stopped, receiving goes on.',
      'Free or add disk space; it resumes by itself. Do not delete files in the data folder.',
    ],
  ),
  'QUE-4002': e(
    'agent',
    [
      '磁盘已满',
      '可用空间低于 2 % 或写入失败，新消息以错误应答（AE），对方会重发。',
      '立即清理磁盘或扩容；空间恢复后自动继续。',
    ],
    [
      'Disk is full',
      'Less than 2 % is free or a write failed; new messages are answered AE and the sender will resend.',
      'Free or add disk space at once; it resumes by itself.',
    ],
  ),
  'QUE-4003': e(
    'agent',
    ['一条记录损坏', '一条已存记录校验不过，已单独留下，其余继续。', '请让发送方重发该条；检查磁盘健康。'],
    [
      'A record is damaged',
      'A stored record fails its check; it is set aside and the rest goes on.',
      'Have the sender resend it; check the disk’s health.',
    ],
  ),
  'QUE-4004': e(
    'agent',
    [
      '找不到数据密钥',
      '数据已加密，而密钥文件不在、读不到或不是这份数据的。不会另造密钥。',
      '恢复 data.key 指定的密钥；没有它数据无法读取。',
    ],
    [
      'The data key is missing',
      'The data is encrypted and its key file is absent, unreadable or another one. No new key is made.',
      'Restore the key named by data.key; without it the data cannot be read.',
    ],
  ),
  'QUE-4005': e(
    'agent',
    [
      '数据文件夹正被另一个前置机使用',
      '同一数据文件夹只能由一个进程使用。',
      '停掉另一个进程，或为本实例设置不同的 data.folder。',
    ],
    [
      'The data folder is in use',
      'Another process uses this data folder.',
      'Stop the other process, or set another data.folder.',
    ],
  ),
  'QUE-4006': e(
    'agent',
    [
      '队列尾部有缺失',
      '上次确认写入的编号大于数据库里的最大编号，可能丢失了最后一段。',
      '请厂商协助核对；让各系统重发该时段的消息。',
    ],
    [
      'The end of the queue is missing',
      'The last number known to be written is higher than the highest in the database; its tail may be lost.',
      'Have it checked; let the systems resend that period.',
    ],
  ),
  'QUE-4007': e(
    'agent',
    [
      '数据库写入出错',
      '磁盘报告写入或同步失败；为保证不丢数据，程序退出并由服务管理器重启。',
      '检查磁盘健康与系统日志。未应答的消息会由发送方重发。',
    ],
    [
      'Database write failed',
      'The disk reported a write or sync error; to lose nothing the program exits and the service manager restarts it.',
      'Check the disk and the system log. What was not acknowledged will be resent.',
    ],
  ),
  'QUE-4008': e(
    'agent',
    ['数据由更新的版本写成', '数据文件夹的格式比本程序新。', '安装原来的或更新的版本。数据未被改动。'],
    [
      'The data is of a newer version',
      'The data folder was written by a newer program.',
      'Install that or a newer version. Nothing was changed.',
    ],
  ),
  'QUE-4009': e(
    'agent',
    ['数据库文件损坏', '数据库打不开；文件已原样移到一旁，未删除。', '请厂商协助恢复；检查磁盘健康。'],
    [
      'The database file is damaged',
      'The database cannot be opened; the files are moved aside unchanged.',
      'Have it salvaged; check the disk.',
    ],
  ),
  'QUE-4010': e(
    'agent',
    ['前置机正在停止', '程序正在关闭，不再接收。', '无需操作：对方会重发。'],
    [
      'The agent is stopping',
      'The program is shutting down and accepts nothing more.',
      'Nothing to do: the sender will resend.',
    ],
  ),
  'QUE-4011': e(
    'platform',
    [
      '上传积压',
      '有文档等待上传已超过 5 分钟；没有丢失，按顺序保存在本机。',
      '先处理同时列出的网络或平台问题；没有其他问题时请平台确认接收是否变慢。恢复后自动续传。',
    ],
    [
      'Uploads are behind',
      'A document has waited for upload for more than 5 minutes; nothing is lost, all are kept here in order.',
      'Deal first with any network or platform problem listed; if there is none, ask the platform whether it has become slow. Uploads resume by themselves.',
    ],
  ),
  'QUE-4012': e(
    'agent',
    [
      '转换积压',
      '有消息等待转换已超过 5 分钟；没有丢失，原始消息保存在本机。',
      '大量消息同时到达时会自行消化；持续增长请检查本机负载，并联系前置机维护人员。',
    ],
    [
      'Mapping is behind',
      'A message has waited for mapping for more than 5 minutes; nothing is lost, the raw messages are kept here.',
      'After a burst it catches up by itself; if it keeps growing check the load of this machine and call whoever maintains the agent.',
    ],
  ),
  'QUE-4013': e(
    'agent',
    [
      '磁盘空间将在 7 天内用完',
      '按最近的接收速度，剩余空间不足 7 天。',
      '在用完之前清理磁盘或扩容。不要删除数据文件夹里的文件。',
    ],
    [
      'The disk will be full within 7 days',
      'At the recent rate of arrival less than 7 days of space are left.',
      'Free or add disk space before then. Do not delete files in the data folder.',
    ],
  ),
  'QUE-4014': e(
    'agent',
    [
      '尾部核对文件丢失或损坏',
      '记录最后编号的 high-water 文件不在或校验不过；本次启动无法核对队列尾部是否完整，文件已重建。',
      '若刚恢复过备份、复制或清理过数据文件夹，无需处理；否则请检查磁盘健康，并与各系统核对停机前最后几条消息。',
    ],
    [
      'The file that guards the end of the queue is gone',
      'The high-water file, which holds the last numbers, is absent or fails its check: this start could not tell whether the end of the queue is complete. The file has been made anew.',
      'If the data folder was just restored, copied or cleaned, nothing needs doing; otherwise check the disk, and compare the last messages before the stop with the sending systems.',
    ],
  ),
  'QUE-4015': e(
    'agent',
    [
      '存储标识损坏，已从副本恢复',
      '数据库中保存密钥与本机编号的一页被损坏；本次启动已用旁边的 key-copy 文件恢复，未丢失数据。',
      '这通常是磁盘出错的先兆：请检查磁盘健康，必要时更换，并保留备份。',
    ],
    [
      'The store’s identity was damaged and restored from its copy',
      'The page of the database that holds the keys and the agent’s id was damaged; this start restored it from the file key-copy. Nothing was lost.',
      'This usually announces a failing disk: check it, replace it if needed, and keep a backup.',
    ],
  ),
  'QUE-4020': e(
    'agent',
    [
      '影像文件暂时不能读写',
      '系统拒绝打开、读取或写入影像文件（句柄不足、权限或磁盘错误）。未确认的影像不会丢：对方会重发，待传的稍后再试。',
      '检查磁盘健康、数据文件夹权限与系统日志；恢复后自动继续。影像来源启动失败，或影像 10 分钟读不到而被单独留下时，恢复后请重启前置机。',
    ],
    [
      'An image file cannot be read or written now',
      'The system refused to open, read or write an image file (no handles left, rights, a disk error). Nothing acknowledged is lost: the sender repeats what was not, uploads are tried again.',
      'Check the disk, the rights on the data folder and the system log; it resumes by itself. Where a source of images failed to start, or images were set aside after ten minutes, restart the agent once the cause is gone.',
    ],
  ),
  'QUE-4021': e(
    'agent',
    [
      '有影像文件无人认领',
      '启动时有影像文件在库中没有记录：程序曾在登记前被终止（这样的影像未确认，设备会重发），或数据库尾部缺失、已移开或恢复成了较早的备份。文件已原样移入 spool/aside，保留 30 天。',
      '若刚恢复过备份，或同时有 QUE-4006、QUE-4009 或 QUE-4014，请厂商协助核对，并请设备重发该时段的影像；程序只是被强行终止过的，无需处理。',
    ],
    [
      'Image files that no record knows',
      'At a start some image files had no record: the program was killed before it wrote one (they were not acknowledged, the devices repeat them), or the end of the database is missing, it was moved aside, or an older backup was put in its place. They are kept unchanged in spool/aside for 30 days.',
      'After a backup was restored, or with QUE-4006, QUE-4009 or QUE-4014 beside it, have it checked and let the devices resend that period; where the program was only killed there is nothing to do.',
    ],
  ),
  // ------------------------------------------------------------ CFG configuration
  'CFG-5001': e(
    'agent',
    ['配置文件读不到', '找不到配置文件或没有读取权限。', '检查 --config 指定的路径与权限。'],
    [
      'The configuration cannot be read',
      'The file is absent or not readable.',
      'Check the path given by --config and its permissions.',
    ],
  ),
  'CFG-5002': e(
    'agent',
    ['配置不是有效的 YAML', '文件的书写有误。', '按所指行列修正（常见：缩进、冒号后缺空格）。'],
    [
      'The configuration is not valid YAML',
      'The file has a syntax error.',
      'Correct the line and column named (often indentation, or no space after a colon).',
    ],
  ),
  'CFG-5003': e(
    'agent',
    ['配置内容有误', '某项缺失、类型不对或不在允许的范围。', '按所指行列修正；用 qianzhi config validate 复查。'],
    [
      'The configuration is wrong',
      'An entry is missing, of the wrong type, or out of range.',
      'Correct the line and column named; check with qianzhi config validate.',
    ],
  ),
  'CFG-5004': e(
    'agent',
    ['配置里有不认识的项', '该项不存在，可能拼写有误。', '按提示改正拼写，或删去该项。'],
    [
      'Unknown configuration entry',
      'There is no such entry; perhaps it is misspelt.',
      'Correct the spelling as suggested, or remove it.',
    ],
  ),
  'CFG-5005': e(
    'agent',
    ['环境变量未设置', '配置引用了没有设置的环境变量。', '设置该变量，或写成 ${名称:-默认值}。'],
    [
      'Environment variable is not set',
      'The configuration refers to a variable that is not set.',
      'Set it, or write ${NAME:-default}.',
    ],
  ),
  'CFG-5006': e(
    'agent',
    ['密钥放在了数据文件夹里', '密钥与数据放在一起，等于没有加密。', '把 data.key 移到数据文件夹之外。'],
    [
      'The key lies in the data folder',
      'A key beside the data protects nothing.',
      'Move data.key out of the data folder.',
    ],
  ),
  'CFG-5007': e(
    'agent',
    ['这是演示用的证书或数据', '演示证书与演示数据文件夹不能用于正式运行。', '换成平台签发的证书与新的数据文件夹。'],
    [
      'Demo certificate or demo data',
      'Demo certificates and demo data folders are refused in real operation.',
      'Use certificates issued by the platform and a new data folder.',
    ],
  ),
  'CFG-5008': e(
    'agent',
    ['配置由更新的版本写成', 'config_version 比本程序认识的新。', '安装更新的版本，或恢复旧配置。'],
    [
      'The configuration is of a newer version',
      'config_version is newer than this program knows.',
      'Install a newer version, or restore the old configuration.',
    ],
  ),
  'CFG-5009': e(
    'agent',
    [
      '接入规则有误',
      '接入规则里的路径、表或函数不成立。',
      '按所指行列修正接入规则；写法见 docs/source-profiles.zh-CN.md。',
    ],
    [
      'The source profile is wrong',
      'A path, table or function of the profile does not hold.',
      'Correct the line and column named in the profile; docs/source-profiles.md shows how.',
    ],
  ),
  'CFG-5010': e(
    'agent',
    ['省级规范包有误', '规范包或对照表不完整或自相矛盾。', '按所指位置修正规范包。'],
    [
      'The province pack is wrong',
      'The pack or a code table is incomplete or contradicts itself.',
      'Correct the place named in the pack.',
    ],
  ),
  'CFG-5011': e(
    'agent',
    [
      '对外监听缺少白名单',
      '监听地址不是本机回环，却没有写明允许的来源地址，也没有要求客户端证书。',
      '在该来源下加 peers，列出允许的地址或网段；或配置 tls 并要求客户端证书。',
    ],
    [
      'A listener off loopback needs an address list',
      'The listener is reachable from the network, no peers are listed and no client certificates are required.',
      'Add peers to the source with the allowed addresses or networks, or tls with required client certificates.',
    ],
  ),
  'CFG-5012': e(
    'agent',
    ['配置里还有示例值', '有一项还是示例文件里的值，不是本机构的。', '按所指行列改成本机构的值。'],
    [
      'The configuration still holds an example value',
      'An entry still has the value of the example file, not this institution’s.',
      'Replace it at the line and column named.',
    ],
  ),
  'CFG-5013': e(
    'agent',
    [
      '影像只配了一半',
      '影像要有来源也要有影像平台：只有平台就没有东西可传；只有来源则影像收下后只在本机保存，不会上传。',
      '补上缺的那一半（kind: dicom-scp 或 dicom-folder 的来源；kind: dicomweb 的平台）；确实不需要就删去另一半。',
    ],
    [
      'Only one half of the images is configured',
      'Images need a source and a platform: a platform alone has nothing to send, with a source alone images are kept here and go nowhere.',
      'Add the other half (a source of kind dicom-scp or dicom-folder; a platform of kind dicomweb), or remove the one that is not needed.',
    ],
  ),
  'CFG-5014': e(
    'agent',
    [
      '发送方的成帧方式与端口不同',
      '成帧方式（framing、answer_framing、require_end）属于连接，同一端口只能有一种；senders 中某一发送方的接入规则与该来源自己的不同。',
      '把两份接入规则 intake 下的这几项改成相同；设备确实不同时，为它另开一个来源（另一端口）。',
    ],
    [
      "A sender's framing differs from its port's",
      "Framing (framing, answer_framing, require_end) belongs to the connection and is one for a port; the profile of one of the senders says otherwise than the source's own.",
      'Make these keys under intake equal in both profiles; a device that really differs needs a source (a port) of its own.',
    ],
  ),
  'CFG-5015': e(
    'agent',
    [
      'continues 写法有误',
      'senders 的 continues 要写报告以前所用的名称：不能是自己，也不能是一个本身带有 continues 的发送方。',
      '改写为报告最初所用的来源名称；以前没有用别的名称接收过，就删去 continues。',
    ],
    [
      'continues is not right',
      'continues of a sender names what its reports came under before: neither itself nor a sender that continues another.',
      'Write the source name its reports first came under; if they never came under another name, remove continues.',
    ],
  ),
  'CFG-5016': e(
    'agent',
    [
      'continues 指向配置中没有的名称',
      '发送方将沿用一个已不在配置中的来源名称的报告标识。来源确已撤销时这是对的；名称写错则更正会成为平台上的第二份报告。',
      '核对名称与以前配置中的来源名称完全一致。',
    ],
    [
      'continues names a source that is not configured',
      'A sender goes on under the identity of a source that is no longer configured. Right where that source was removed; if the name is mistyped, corrections become second reports at the platform.',
      'Check that the name is exactly that of the former source.',
    ],
  ),
  'CFG-5017': e(
    'agent',
    [
      '发送方未列入平台的来源',
      '平台的 filters.sources 列有某来源，却没有列从它分出来或沿用它的发送方：该发送方的报告不会上传到这个平台；已上传报告的更正和作废照常。',
      '把该发送方的名称加入平台的 filters.sources；确实不要时可忽略。',
    ],
    [
      'A sender is missing in the sources of a platform',
      'filters.sources of a platform lists a source and not a sender that is told apart in it or continues it: reports of that sender will not reach the platform; corrections and withdrawals of those it has will.',
      "Add the sender's name to filters.sources of the platform, unless that is what you want.",
    ],
  ),
  'CFG-5018': e(
    'agent',
    [
      'senders 中有永远轮不到的条目',
      '识别依据写得没有消息能符合：前面的条目已全部覆盖、地址不在 peers 之内，或名称里带有分隔符；它的消息会按别的接入规则处理，或被拒收。',
      '按提示调整该条目的顺序、地址或名称。',
    ],
    [
      'An entry under senders that nothing can fit',
      'An entry before it takes all that fits it, its address lies outside peers, or its name holds a separator: its messages are taken by other rules, or refused.',
      'Change the order, the address or the name of the entry, as the warning says.',
    ],
  ),
  'CFG-5020': e(
    'agent',
    [
      '归档的 HL7 文件没有加密',
      '该来源设了 archive.plain：已收妥的文件原样存放，其中有患者资料，能读该文件夹的人都能看到。',
      '确实需要就不必处理（理由已写在配置里）；否则删去 plain，文件即加密存放，用 qianzhi archive open 打开。',
    ],
    [
      'Archived HL7 files lie unsealed',
      'archive.plain is set for this source: files that were taken are kept as they are, with patient data in them, for anybody who can read the folder.',
      'If that is needed there is nothing to do (the reason stands in the configuration); else remove plain, and files are sealed and opened with qianzhi archive open.',
    ],
  ),
  // ------------------------------------------------------------ SYS
  'SYS-6001': e(
    'agent',
    ['本机时间不准', '本机时间与平台相差超过 60 秒。', '校准时间（启用 NTP）。'],
    [
      'The clock is wrong',
      'The clock differs from the platform’s by more than 60 seconds.',
      'Set the clock (enable NTP).',
    ],
  ),
  'SYS-6003': e(
    'agent',
    ['运行环境太旧', '需要随项目提供的 Node 24。', '用 npm start 启动，不要直接用系统的 node。'],
    [
      'The runtime is too old',
      'The Node 24 that comes with the project is needed.',
      'Start with npm start, not with the system’s node.',
    ],
  ),
  'SYS-6004': e(
    'agent',
    ['内部工作线程停止', '一个内部线程意外结束；程序退出并由服务管理器重启。', '频繁出现请把支持包交给厂商。'],
    [
      'An internal worker stopped',
      'An internal thread ended unexpectedly; the program exits and the service manager restarts it.',
      'If frequent, give a support bundle to the vendor.',
    ],
  ),
  'SYS-6005': e(
    'agent',
    ['状态页端口被占用', '另一个程序已在使用状态页端口。', '在配置 status 里换一个 port。'],
    [
      'The status page port is in use',
      'Another program uses the port of the status page.',
      'Change port under status.',
    ],
  ),
  'SYS-6006': e(
    'agent',
    ['来源未能启动', '一个来源停止了，没有给出具体原因。', '查看日志里该来源的记录；修正后重启前置机。'],
    [
      'A source could not be started',
      'A source has failed without naming a cause.',
      'Look for the source in the log; correct it and restart the agent.',
    ],
  ),
  'SYS-6007': e(
    'agent',
    [
      '命令通道没有打开',
      '本机命令与前置机之间的通道无法建立；接收与上传不受影响，检查的重发、撤回等命令暂不能用。',
      '检查数据文件夹的权限和所在磁盘；修正后重启前置机。',
    ],
    [
      'The channel for commands is not open',
      'The channel between commands on this machine and the agent could not be made. Receiving and uploading go on; commands that resend or withdraw studies cannot be used.',
      'Check the rights and the disk of the data folder; correct them and restart the agent.',
    ],
  ),
  'SYS-6008': e(
    'agent',
    ['没有权限操作前置机', '当前用户不是运行前置机的用户。', '用运行前置机的用户（或管理员）执行该命令。'],
    [
      'Not permitted to command the agent',
      'This user is not the one the agent runs as.',
      'Run the command as the user the agent runs as, or as administrator.',
    ],
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** An error with a stable code. `where` names a path, element or file of ours, never a value from outside. */
export class QianzhiError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  constructor(code: ErrorCode, where?: string, options?: { cause?: unknown }) {
    super(where === undefined ? code : `${code} ${where}`, options);
    this.name = 'QianzhiError';
    this.code = code;
    this.where = where;
  }
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code);

/** The code of an error, or the given fallback when it is not one of ours. */
export const codeOf = (error: unknown, fallback: ErrorCode): ErrorCode =>
  error instanceof QianzhiError ? error.code : fallback;

/** `errno`-like code of a system error (`ECONNREFUSED`), for logs; undefined otherwise. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : undefined;
}

/**
 * Where in the program something was thrown that cannot be: its class and the innermost calls, for the log. Never its text, which
 * may hold what came from outside. Undefined for what is no error.
 */
export function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { stack = '', message } = error;
  const calls = stack.slice(stack.indexOf(message) + message.length).split('\n');
  const innermost = calls.filter((line) => /^ +at /.test(line)).slice(0, 3);
  return [error.constructor.name, ...innermost.map((line) => line.trim())].join(' ');
}
