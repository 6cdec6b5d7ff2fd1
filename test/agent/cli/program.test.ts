import t from 'tap';
import { exitCodeForError } from '../../../agent/cli/exit-codes.ts';
import { QianzhiError } from '../../../agent/support/errors.ts';
import { languageFrom } from '../../../agent/support/text.ts';
import { speak } from './program-of-test.ts';

t.test('usage errors exit 2 and say so on stderr only', async (t) => {
  for (const args of [
    ['no-such'],
    ['config'],
    ['config', 'validate'],
    ['config', 'validate', 'x', '--config', 'y'],
    ['version', '--config', 'x'],
    ['version', '--nonsense'],
    ['version', 'more'],
    ['config', 'validate', '--config'],
    ['version', '--lang', 'fr'],
  ]) {
    const said = await speak(args);
    t.equal(said.exit, 2, args.join(' '));
    t.equal(said.out, '');
    t.not(said.talk, '');
  }
  t.match(JSON.parse((await speak(['no-such', '--json'])).talk), { code: 'USAGE', message: String, fix: String });
});

t.test('help lists every command, in the language asked for', async (t) => {
  for (const args of [['help'], ['--help'], ['config', '--help']]) {
    const { exit, out } = await speak([...args, '--lang', 'en']);
    t.equal(exit, 0);
    for (const name of ['config', 'status', 'version']) t.match(out, `qianzhi ${name}`);
  }
  t.match((await speak(['help'])).out, '用法');
  t.equal((await speak([])).exit, 2, 'no command at all is a usage error');
});

t.test('version', async (t) => {
  t.match((await speak(['--version'])).out, /^qianzhi \d+\.\d+\.\d+$/);
  t.match(JSON.parse((await speak(['version', '--json'])).out), { version: String, node: process.versions.node });
});

t.test('a configuration that cannot be read is CFG-5001 with cause and fix, exit 78', async (t) => {
  const said = await speak(['config', 'validate', '--config', 'absent.yaml', '--lang', 'en']);
  t.equal(said.exit, 78);
  t.match(said.talk, /^CFG-5001 .* \(absent.yaml\)\n {2}Cause: .*\n {2}Fix: /);
});

t.test('exit codes follow the table', async (t) => {
  const withErrno = (code: string) => Object.assign(new Error('x'), { code });
  t.equal(exitCodeForError(new QianzhiError('CFG-5007')), 78);
  t.equal(exitCodeForError(new QianzhiError('QUE-4002')), 73);
  t.equal(exitCodeForError(new QianzhiError('QUE-4007', undefined, { cause: withErrno('EACCES') })), 77);
  t.equal(exitCodeForError(new QianzhiError('QUE-4004')), 1);
  t.equal(exitCodeForError(withErrno('EACCES')), 77);
  t.equal(exitCodeForError(withErrno('EROFS')), 73);
  t.equal(exitCodeForError(new Error('x')), 1);
});

t.test('the language comes from --lang, then from the locale', async (t) => {
  t.equal(languageFrom('en', { LANG: 'zh_CN.UTF-8' }), 'en');
  t.equal(languageFrom(undefined, { LANG: 'en_US.UTF-8' }), 'en');
  t.equal(languageFrom(undefined, { LANG: 'en_US.UTF-8', LC_ALL: 'zh_CN.UTF-8' }), 'zh');
  t.equal(languageFrom(undefined, { LANG: 'C.UTF-8' }), 'zh');
  t.equal(languageFrom(undefined, {}), 'zh');
});
