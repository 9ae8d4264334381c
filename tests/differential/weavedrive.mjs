// Messages of a process that reads Arweave through WeaveDrive: items, blocks and transactions, opened, sought and read in every order.
//
//   node tests/differential/weavedrive.mjs     writes {"env", "messages", "drive"}: `drive` has what a gateway gives, by id or height

const id = (name) => `${name}weavedrive-differential-of-weft`.padEnd(43, '0');
const text = (length) => Array.from({ length }, (_, at) => String.fromCharCode(97 + ((at * 7 + (at >> 5)) % 26))).join('');
const SIZES = [1, 9, 110, 5_000, 32_768, 40_000, 70_001];
const data = Object.fromEntries(SIZES.map((size) => [id(`S${size}`), text(size)]));
data[id('CODE')] = 'Booted = "from the weave" .. 1 + 1';
const block = { 7: '{"height":7,"indep_hash":"abc","tags":[]}', 1300000: '{"height":1300000,"nonce":"é"}' };
const tx = { [id('TX')]: { format: 2, id: id('TX'), owner: 'AQAB', tags: [{ name: 'YQ', value: 'Yg' }], quantity: '0', data_size: '12', reward: '1', signature: 's' } };

const OWNER = 'OWNERdifferential-owner-of-weft-00000000000';
const PROCESS = 'PROCESSdifferential-process-of-weft-0000000';
const tags = [{ name: 'Data-Protocol', value: 'ao' }, { name: 'Variant', value: 'ao.TN.1' }];
const env = {
  Process: { Id: PROCESS, Owner: OWNER, Tags: [...tags, { name: 'Type', value: 'Process' }, { name: 'Name', value: 'weavedrive' }, { name: 'Extension', value: 'WeaveDrive' }, { name: 'Scheduler', value: 'S' }] },
  Module: { Id: id('MODULE'), Owner: OWNER, Tags: [{ name: 'Type', value: 'Module' }] },
};
const messages = [];
function message(more, code) {
  const slot = messages.length;
  messages.push({
    Id: slot === 0 ? PROCESS : id(`MESSAGE${slot}`), Signature: 's', Data: code, Owner: OWNER, Target: PROCESS, Anchor: '0'.repeat(32), From: OWNER,
    Tags: [...tags, ...more], Epoch: 0, Nonce: slot, Timestamp: 1_700_000_000_000 + slot, 'Block-Height': 1_300_000, Module: id('MODULE'), Cron: false, 'Read-Only': false,
  });
}
const lua = (code) => message([{ name: 'Type', value: 'Message' }, { name: 'Action', value: 'Eval' }], code);
message([{ name: 'Type', value: 'Process' }, { name: 'Name', value: 'weavedrive' }], '');

lua('function sum(t) if not t then return "nil" end local s = 0 for i = 1, #t, 1 + #t // 500 do s = (s * 31 + t:byte(i)) % 4294967296 end return #t .. ":" .. s end return sum("a")');
lua('function whole(path) local f = io.open(path) if not f then return "none" end local t = f:read(f:seek("end")) f:close() return t end return 1');
// As WeaveDrive.getData of aos reads.
for (const name of Object.keys(data)) lua(`return sum(whole("/data/${name}"))`);
for (const name of Object.keys(data)) lua(`return sum(whole("/data/${name}"))`);
lua(`return load(whole("/data/${id('CODE')}"))() or Booted`);
lua(`return whole("/block/7") .. require("json").decode(whole("/block/7")).indep_hash`);
lua('return whole("/block/1300000")');
lua(`return whole("/tx/${id('TX')}")`);
lua(`local f = io.open("/tx/${id('TX')}") local a, b = f:read(5), f:read(5) local p = f:seek() f:close() return a .. b .. p`);
lua('return tostring(io.open("/headers/x")) .. tostring(io.open("/nothing/x"))');
lua('local f = io.open("/home/own", "w") f:write("mine") f:close() return whole("/home/own") .. tostring(os.time())');

// Sequences of looks and reads, the same each time.
let seed = 1;
const random = (below) => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return Math.floor((seed / 2_147_483_648) * below);
};
for (let round = 0; round < 190; round += 1) {
  const size = SIZES[random(SIZES.length)];
  const steps = Array.from({ length: 1 + random(5) }, () => {
    const [what, where] = [random(8), random(size + 2)];
    if (what === 0) return `o[#o+1] = f:seek("set", ${where})`;
    if (what === 1) return 'o[#o+1] = f:seek("end")';
    if (what === 2) return 'o[#o+1] = f:seek("cur", 0)';
    return `o[#o+1] = sum(f:read(${1 + random([3, 40, size, 34_000][random(4)])}))`;
  });
  const close = random(3) > 0 ? 'f:close()' : '';
  lua(`local o, f = {}, io.open("/data/${id(`S${size}`)}") ${steps.join(' ')} ${close} return table.concat(o, " ")`);
}
console.log(JSON.stringify({ env, messages, drive: { data, block, tx } }));
