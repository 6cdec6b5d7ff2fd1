/** What the demo says to a person. */
export interface Words {
  opening(status: string, folder: string): string;
  progress(sent: number, accepted: number, platform: 'up' | 'down', status: string): string;
  restarting: string;
  stopping: string;
  stopped: string;
  failed(reason: string): string;
}

const zh: Words = {
  opening: (status, folder) =>
    [
      '前置机 qianzhi 演示：虚构的医院、虚构的患者、模拟的省平台，全部只在本机。',
      `  状态页    ${status}`,
      `  文件夹    ${folder}`,
      '  按 Ctrl-C 结束；再次启动时从中断处继续。输入 platform down / platform up 可断开或恢复省平台。',
      '',
    ].join('\n'),
  progress: (sent, accepted, platform, status) =>
    `医院已发送 ${sent} 条 · 省平台已接收 ${accepted} 份 · 省平台${platform === 'up' ? '正常' : '已断开'} · ${status}`,
  restarting: '前置机进程已结束，正在重新启动 …',
  stopping: '正在停止 …',
  stopped: '已停止。',
  failed: (reason) => `演示无法启动：${reason}`,
};

const en: Words = {
  opening: (status, folder) =>
    [
      'Qianzhi demo: an invented hospital, invented patients and a simulated province, all on this machine.',
      `  Status page  ${status}`,
      `  Folder       ${folder}`,
      '  Ctrl-C stops it; started again it goes on from where it was. Type "platform down" or "platform up" to cut or restore the province.',
      '',
    ].join('\n'),
  progress: (sent, accepted, platform, status) =>
    `hospital sent ${sent} · province accepted ${accepted} · province ${platform === 'up' ? 'up' : 'cut off'} · ${status}`,
  restarting: 'The agent’s process ended; starting it again …',
  stopping: 'Stopping …',
  stopped: 'Stopped.',
  failed: (reason) => `The demo cannot start: ${reason}`,
};

/** Chinese where the environment says so, else English. */
export function wordsFor(env: NodeJS.ProcessEnv): Words {
  return (env.LC_ALL || env.LC_MESSAGES || env.LANG || '').toLowerCase().startsWith('zh') ? zh : en;
}
