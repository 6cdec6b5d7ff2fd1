import { PassThrough } from 'node:stream';
import t from 'tap';
import { instance } from '../../../agent/cli/resend.ts';
import { study } from '../../../agent/cli/study.ts';
import { firstLine } from '../../../agent/cli/terminal.ts';
import { speak } from './program-of-test.ts';

const commands = [study, instance];

t.test('what is looked for is refused on the command line, and not repeated', async (t) => {
  for (const words of [
    ['--patient', 'CANARY-1'],
    ['--accession', 'CANARY-1'],
    ['--uid', 'CANARY-1'],
    ['CANARY-1'],
    ['--patient', '-', 'CANARY-1'],
    ['--patient=CANARY-1'],
  ]) {
    const said = await speak(['study', 'find', ...words, '--lang', 'en', '--config', 'x.yaml'], commands);
    t.equal(said.exit, 2, words.join(' '));
    t.notMatch(said.talk + said.out, 'CANARY');
  }
});

t.test('a command that is not one says which there are', async (t) => {
  for (const words of [
    ['study'],
    ['study', 'remove'],
    ['study', 'constructor'],
    ['study', 'show'],
    ['study', 'show', 'x'],
    ['study', 'show', '1', '2'],
    ['study', 'resend', '-1'],
    ['study', 'find', '--patient', '--uid', '--config', 'x.yaml'],
    ['study', 'find'],
    ['study', 'find', '--before', 'x', '--config', 'x.yaml'],
    ['study', 'forget-platform', '--config', 'x.yaml'],
    ['instance'],
    ['instance', 'resend'],
    ['instance', 'withdraw', '1'],
  ]) {
    const said = await speak([...words, '--lang', 'en'], commands);
    t.match(said, { exit: 2, out: '', talk: /See qianzhi help\.$/ }, words.join(' '));
  }
});

t.test('a term is asked for on a terminal only, and is the first line of what comes in', async (t) => {
  const input = (isTTY: boolean) => Object.assign(new PassThrough(), { isTTY });
  const told: string[] = [];
  const [pipe, terminal, endless] = [input(false), input(true), input(false)];
  pipe.end(' P1 \nP2\n');
  t.equal(await firstLine(pipe, (text) => told.push(text), 'Patient ID: '), 'P1');
  t.same(told, []);
  terminal.write('张三');
  terminal.write('\n');
  t.equal(await firstLine(terminal, (text) => told.push(text), 'Patient ID: '), '张三');
  t.same(told, ['Patient ID: ']);
  for (let i = 0; i < 10; i++) endless.write('x'.repeat(1_000));
  t.ok((await firstLine(endless, () => {}, '')).length > 4_096, 'the end of a line without one is not awaited');
});
