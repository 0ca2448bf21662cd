// Known vulnerabilities of what the package depends on, where a registry answers: plain JavaScript, since it runs before the build.
import { spawnSync } from 'node:child_process';

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=20000'], {
  encoding: 'utf8',
  shell: process.platform === 'win32',
});

const tell = line => process.stdout.write(`${line}\n`);

/** What npm answered; undefined: nothing that could be read. */
function answer() {
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}

const { metadata, vulnerabilities = {} } = answer() ?? {};
if (!metadata?.vulnerabilities) tell('audit: no registry answers it here');
else {
  const { high = 0, critical = 0, total = 0 } = metadata.vulnerabilities;
  tell(`audit: ${total} known vulnerabilities, ${high + critical} of them high or critical`);
  for (const [name, { severity, range }] of Object.entries(vulnerabilities)) tell(`  ${name} ${range}: ${severity}`);
  if (high + critical > 0) process.exitCode = 1;
}
