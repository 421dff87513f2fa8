// Refreshes from a repository by tuf-js, starting from a root, and reads targets.
// usage: node read.js STATE METADATA_URL TARGETS_URL PATH...
// STATE has root.json. Prints "ok PATH SHA256" for each; a refusal is its name on stderr, exit 1.
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const { Updater } = require('tuf-js');

async function main() {
  const [state, metadata, targets, ...paths] = process.argv.slice(2);
  const targetDir = fs.mkdtempSync(path.join(state, 'targets-'));
  const updater = new Updater({
    metadataDir: state, metadataBaseUrl: metadata, targetDir, targetBaseUrl: targets,
    config: { fetchRetries: 0, fetchTimeout: 10000 },
  });
  await updater.refresh();
  for (const p of paths) {
    const info = await updater.getTargetInfo(p);
    if (!info) throw Object.assign(new Error(p), { name: 'NotListed' });
    const file = await updater.downloadTarget(info, path.join(targetDir, 'one'));
    const sum = crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
    console.log(`ok ${p} ${sum}`);
  }
}

main().catch((e) => {
  console.error(`${e.name || e.constructor.name}: ${e.message}`);
  process.exit(1);
});
