// What npm @permaweb/weavedrive says of an item for processes and modules of many tags, and what it asks an index for it.
//
//   node tests/differential/availability.mjs   prints a list of {process, module, id, height, has, verdict, asked}
//
// `has` says which questions the index has a result for: [attestations, availabilities].
import { createRequire } from 'node:module';

const weavedrive = createRequire(import.meta.url)('@permaweb/weavedrive');
console.error = () => {};
const print = console.log;
console.log = () => {};

const ID = 'IDweavedrive'.padEnd(43, '0');
const tag = (name, value) => ({ name, value });
const extension = tag('Extension', 'WeaveDrive');
const TAGS = [
  [],
  [extension],
  [extension, tag('Scheduler', 'S')],
  [extension, tag('Scheduler', 'S'), tag('Scheduler', 'T'), tag('Attestor', 'A'), tag('Attestor', ''), tag('Attestor', 'B')],
  [tag('Extension', 'Other'), extension, tag('Attestor', 'A')],
  [tag('Extension', 'Other'), tag('extension', 'WeaveDrive')],
  [tag('On-Boot', ID)],
  [tag('On-Boot', ID), tag('On-Boot', 'Data'), extension],
  [tag('On-Boot', 'Data'), tag('Scheduler', '')],
  ...['Assignments', 'Individual', 'Library', 'Nothing', ''].map((mode) => [extension, tag('Availability-Type', mode), tag('Scheduler', 'S')]),
  [extension, tag('Availability-Type', 'Library'), tag('Availability-Type', 'Individual'), tag('Attestor', 'A')],
];
const all = [];
for (const process of TAGS) {
  for (const module of TAGS) {
    for (const has of [[false, false], [true, false], [false, true], [true, true]]) {
      const asked = [];
      globalThis.fetch = async (url, { body }) => {
        const { query } = JSON.parse(body);
        const owners = JSON.parse(/owners: (\[[^\]]*\])/.exec(query)[1]);
        const last = Number(/max: (\d+)/.exec(query)[1]);
        const tags = [...query.matchAll(/name: "([^"]*)", values: \["([^"]*)"\]/g)].map(([, name, value]) => [name, value]);
        asked.push({ owners, last, tags });
        const there = tags.some(([, value]) => value === 'Attestation') ? has[0] : has[1];
        return Response.json({ data: { transactions: { edges: there ? [{}] : [] } } });
      };
      const drive = weavedrive({ ARWEAVE: 'https://arweave.net', blockHeight: 1_300_000, spawn: { tags: process }, module: { tags: module } }, {});
      let verdict;
      try {
        verdict = (await drive.checkAdmissible(ID)) ? 'open' : 'closed';
      } catch {
        verdict = 'throws';
      }
      all.push({ process, module, id: ID, height: 1_300_000, has, verdict, asked });
    }
  }
}
print(JSON.stringify(all));
