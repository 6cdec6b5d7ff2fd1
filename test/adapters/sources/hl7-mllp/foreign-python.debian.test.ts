import { spawnSync } from 'node:child_process';
import t from 'tap';
import { checkAnswers, checkRefusals } from './foreign-check.ts';
import { pythonHl7 } from './foreign-clients.ts';

if (spawnSync('/usr/bin/python3', ['-c', 'import hl7']).status === 0) {
  checkAnswers(t, pythonHl7);
  checkRefusals(t, pythonHl7);
} else t.test('MLLPClient of python3-hl7', { skip: 'python3-hl7 (Debian) is not installed' }, (t) => t.end());
