// The messages of the differential test: one process, every kind of work an aos module does. The same on every machine.
//
//   node tests/differential/workload.mjs            writes {"env": …, "messages": […]} to standard output

const PROCESS = "PROCESSdifferential-process-of-weft-0000000";
const OWNER = "OWNERdifferential-owner-of-weft-00000000000";
const STRANGER = "STRANGERdifferential-stranger-000000000000a";
const AUTHORITY = "AUTHORITYdifferential-authority-0000000000a";
const MODULE = "MODULEdifferential-module-of-weft-000000000";
const START = 1_700_000_000_000;

const env = {
  Process: {
    Id: PROCESS,
    Owner: OWNER,
    Tags: [
      { name: "Data-Protocol", value: "ao" },
      { name: "Variant", value: "ao.TN.1" },
      { name: "Type", value: "Process" },
      { name: "Name", value: "differential" },
      { name: "Authority", value: AUTHORITY },
      { name: "Module", value: MODULE },
      { name: "Scheduler", value: "SCHEDULERdifferential-0000000000000000000aa" },
    ],
  },
  Module: { Id: MODULE, Owner: OWNER, Tags: [{ name: "Type", value: "Module" }] },
};

const messages = [];

function message(fields, tags, data) {
  const slot = messages.length;
  const tail = String(slot).padStart(4, "0");
  messages.push({
    Id: slot === 0 ? PROCESS : `MESSAGEdifferential-message-of-weft-000${tail}`,
    Signature: `SIGNATURE-${tail}`,
    Data: data,
    Owner: OWNER,
    Target: PROCESS,
    Anchor: String(slot).padStart(32, "0"),
    From: OWNER,
    Tags: [{ name: "Data-Protocol", value: "ao" }, { name: "Variant", value: "ao.TN.1" }, ...tags],
    Epoch: 0,
    Nonce: slot,
    Timestamp: START + slot * 60_000,
    "Block-Height": 1_300_000 + Math.floor(slot / 2),
    "Hash-Chain": `HASHCHAIN-${tail}`,
    Module: MODULE,
    Cron: false,
    "Read-Only": false,
    ...fields,
  });
}

const tag = (name, value) => ({ name, value });
const lua = (code, fields = {}) => message(fields, [tag("Type", "Message"), tag("Action", "Eval")], code);
const act = (action, tags = [], data = "", fields = {}) =>
  message(fields, [tag("Type", "Message"), tag("Action", action), ...tags], data);

message({}, [tag("Type", "Process"), tag("Name", "differential")], "");

// Values and errors.
for (const code of [
  "return 1 + 1",
  "x = 7; return x",
  "return x * 6",
  "x = x + 0.5 return x",
  "return 2^53, 'a second value is an error for aos'",
  "return nil",
  "return true",
  "return {1, 2, {a = 'b', c = {d = false}}}",
  "return 'text'",
  "return 10 // 3, nil",
  "error('a text')",
  "error({code = 5, text = 'a table'})",
  "error(nil)",
  "error()",
  "local a = nil; return a.b",
  "return undefined_function()",
  "return 1 +",
  "this is not lua",
  "return #'ünïcödé ✓ 漢字 🙂'",
  "return 'ünïcödé ✓ 漢字 🙂 \\0 \\1 \\31 \\127'",
  "return '\\255\\254 not utf-8 \\xc3('",
  "return 'quotes \" and \\\\ and / and \\t'",
  "return 1e308 * 10, nil",
  "return tostring(0/0) .. tostring(-(0/0)) .. tostring(1/0) .. tostring(-1/0)",
  "return string.format('%5.3f %d %s %q %x %g %i %c %e %a', 1/3, 42, 'x', 'q\\n', 255, 1e20, 7, 65, 12345.678, 0.5)",
  "return math.maxinteger + 1 == math.mininteger",
  "return 7 // 2, 7 % -3, -7 // 2",
  "return tostring(7 // 2 + 7 % -3 + 7.5 // 2) .. ' ' .. tostring(-7 // 2) .. ' ' .. (3 | 4 ~ 1 & 7 << 2)",
  "assert(false, 'assertion with a text')",
  "assert(nil)",
]) {
  lua(code);
}

// pcall, xpcall, coroutines, metatables.
for (const code of [
  "local ok, why = pcall(error, 'inside'); return tostring(ok) .. ' ' .. tostring(why)",
  "return tostring(pcall(function() local t = setmetatable({}, {__index = function() error('index') end}); return t.x end))",
  "local ok, e = xpcall(function() error({a = 1}) end, function(e) return type(e) .. debug.traceback('t', 1):sub(1, 20) end) return e",
  "local function deep(n) if n == 0 then error('bottom') end local ok, e = pcall(deep, n - 1) error(e, 0) end local ok, e = pcall(deep, 100) return e",
  "local function f() return pcall(f) end return tostring(f())",
  "local n = 0 local function g() n = n + 1 return g() + 1 end local ok, e = pcall(g) return tostring(ok) .. #tostring(e) .. ' ' .. n",
  "local s = string.rep('(', 190) .. '1' .. string.rep(')', 190) return load('return ' .. s)()",
  "local s = string.rep('(', 400) .. '1' .. string.rep(')', 400) return tostring(select(2, load('return ' .. s)))",
  "co = coroutine.create(function(a) local b = coroutine.yield(a + 1) local c = coroutine.yield(b * 2) error('end ' .. c) end) local _, r = coroutine.resume(co, 1) return r",
  "local _, r = coroutine.resume(co, 21) return r",
  "local ok, e = coroutine.resume(co, 'now') return tostring(ok) .. e .. coroutine.status(co)",
  "local ok, e = coroutine.resume(co) return e",
  "gen = coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i * i) end end) local s = 0 for i = 1, 5 do s = s + gen() end return s",
  "local function nest(n) if n == 0 then coroutine.yield('deepest') return 0 end return coroutine.wrap(function() return nest(n - 1) end)() end return tostring(pcall(nest, 20))",
  "V = setmetatable({}, {__add = function(a, b) return 'added' end, __call = function(self, a) return a .. '!' end, __tostring = function() return 'V' end, __len = function() return 99 end, __concat = function() return 'cat' end, __eq = function() return true end, __lt = function() return true end}) return (V + 1) .. V('called') .. tostring(V) .. #V .. (V .. '')",
  "local t = setmetatable({}, {__gc = function() collected = true end}) t = nil collectgarbage() return tostring(collected)",
  "local w = setmetatable({}, {__mode = 'k'}) w[{}] = 1 collectgarbage() return next(w) == nil",
  "return tostring(rawequal('a', 'a')) .. rawlen({1, 2}) .. tostring(rawget(V, 'x'))",
  "return tostring(select('#', table.unpack({}, 1, 200))) .. select(-1, 1, 2, 3)",
  "goto done; x = 'never' ::done:: return x",
]) {
  lua(code);
}

// Strings: patterns, packing, building.
for (const code of [
  "return ('key = value; other=  thing'):gsub('(%w+)%s*=%s*(%w+)', '%2 is %1')",
  "local r = ('hello world from lua'):gsub('%w+', string.upper) return r",
  "local c = 0 for w in ('the quick brown fox jumps over the lazy dog'):gmatch('%a+') do c = c + #w end return c",
  "return ('[[nested] brackets]'):match('%b[]')",
  "return ('THE (quick) fox'):find('%((%a+)%)')",
  "return tostring(('x'):rep(3, ',')) .. ('abc'):reverse() .. ('abc'):byte(-1) .. ('%d'):format(3)",
  "return ('a,b,,c'):gsub(',', ';', 2)",
  "return string.pack('<i4 z s2 d', -5, 'zero', 'two', 1.5):byte(1, -1)",
  "return string.unpack('<i4', string.pack('<i4', -559038737))",
  "return utf8.char(72, 228, 8364, 128578) .. utf8.len('häß€🙂') .. tostring(utf8.len('\\xff'))",
  "local r = '' for p, c in utf8.codes('aé🙂') do r = r .. p .. ':' .. c .. ' ' end return r",
  "return ('frontier THE END'):gsub('%f[%a]%a+', function(w) return #w end)",
  "return tostring(pcall(string.rep, 'x', -1)) .. tostring(pcall(string.rep))",
  "return tostring(pcall(string.find, 'a', '[a'))",
  "return tostring(pcall(string.format, '%d', 1.5))",
  "local ok, e = pcall(string.match, string.rep('a', 300), string.rep('(a)', 40)) return tostring(e)",
  "local s = string.rep('abcdefghij', 5000) local c = 0 for _ in s:gmatch('[aeiou]') do c = c + 1 end return c",
  "local t = {} for i = 1, 20000 do t[#t + 1] = tostring(i) end local s = table.concat(t, ',') return #s .. s:sub(-20)",
  "local s = '' for i = 1, 2000 do s = s .. i end return #s",
  "local s = string.rep('needle in haystack ', 3000) local r, n = s:gsub('needle', 'thread') return n .. r:sub(1, 30)",
  "big = string.rep('0123456789abcdef', 65536) return #big",
  "return #(big .. big)",
  "big = nil collectgarbage() return 'gone'",
  "return tostring(tonumber('0x1p4')) .. tostring(tonumber('  12  ')) .. tostring(tonumber('1e')) .. tostring(tonumber('z', 36))",
]) {
  lua(code);
}

// Tables, numbers and work for the processor.
for (const code of [
  "local t = {} for i = 1, 1000 do t[i] = (i * 7919) % 1009 end table.sort(t) return t[1] .. ' ' .. t[500] .. ' ' .. t[1000]",
  "local t = {} for i = 1, 500 do t[i] = {k = (i * 31) % 97, i = i} end table.sort(t, function(a, b) if a.k ~= b.k then return a.k < b.k end return a.i < b.i end) return t[1].i .. ' ' .. t[250].i .. ' ' .. t[500].i",
  "return tostring(pcall(table.sort, {3, 1, 'x', 2}))",
  "return tostring(pcall(table.sort, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, function(a, b) return true end))",
  "local t = {1, 2, 3} table.insert(t, 2, 'new') table.remove(t, 1) return table.concat(t, '-') .. table.unpack({1})",
  "return table.concat(table.move({1, 2, 3, 4, 5}, 2, 4, 1), ' ')",
  "local keys = {} for k in pairs({b = 1, a = 2, 10, 20, z = 3, [1.5] = 4, [true] = 5}) do keys[#keys + 1] = tostring(k) end return table.concat(keys, ' ')",
  "local s = 0 for i = 1, 300000 do s = s + i % 7 end return s",
  "local s = 0.0 for i = 1, 100000 do s = s + math.sin(i) * math.sqrt(i) end return string.format('%.17g', s)",
  "local a, b = 0, 1 for i = 1, 90 do a, b = b, a + b end return a",
  "local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end return fib(20)",
  "local sieve, count = {}, 0 for i = 2, 20000 do if not sieve[i] then count = count + 1 for j = i * i, 20000, i do sieve[j] = true end end end return count",
  "local h = 5381 local s = string.rep('weft', 1000) for i = 1, #s do h = ((h << 5) + h + s:byte(i)) & 0xffffffff end return h",
  "return string.format('%.17g %.17g %.17g %.17g', math.exp(1), math.log(10), math.atan(1, 2), math.fmod(-7, 3))",
  "return math.tointeger(3.0), nil",
  "return tostring(math.ult(1, -1)) .. math.type(1) .. math.type(1.0) .. tostring(math.type('1')) .. math.floor(-3.5) .. math.ceil(-3.5) .. math.abs(-4)",
  "return math.random(1000) .. ' ' .. math.random(1000) .. ' ' .. math.random(5, 9)",
  "math.randomseed(42) return math.random(1000000)",
  "M = {} for i = 1, 3000 do M['key' .. i] = {id = i, name = 'name' .. i, list = {i, i + 1}} end return #M",
  "local n = 0 for k, v in pairs(M) do n = n + v.id + #v.list end return n",
  "for i = 1, 3000, 2 do M['key' .. i] = nil end local n = 0 for _ in pairs(M) do n = n + 1 end collectgarbage() return n",
  "local first = next(M) return first",
]) {
  lua(code);
}

// What the host is asked for: clock, date, files, environment, output.
for (const code of [
  "return os.time()",
  "return os.clock()",
  "return os.clock() + os.clock()",
  "return os.date('!%Y-%m-%d %H:%M:%S', 1700000000)",
  "return os.date('%c|%x|%X|%p|%A|%B|%j|%U|%W|%V|%G|%g|%u|%w|%y|%Z|%e|%I|%D|%F|%T|%R|%r|%h|%n|%t|%C|%%', 1709210096)",
  "local t = os.date('*t', 1709210096) return t.year .. t.month .. t.day .. t.hour .. t.min .. t.sec .. t.wday .. t.yday .. tostring(t.isdst)",
  "return os.date('%d.%m.%Y')",
  "return os.difftime(10, 4)",
  "return tostring(os.getenv('HOME')) .. tostring(os.getenv('PATH'))",
  "return os.tmpname()",
  "return tostring(select(2, os.remove('/no/such/file')))",
  "return tostring(os.rename('/data', '/renamed')) .. tostring(os.rename('/renamed', '/data'))",
  "local f, why = io.open('/etc/passwd') return tostring(f) .. tostring(why)",
  "local f, why = io.open('/data/abc', 'w') return tostring(f) .. tostring(why)",
  "return tostring(pcall(require, 'no.such.module')):sub(1, 60)",
  "io.write('to standard output\\n') io.stderr:write('to standard error') return 'written'",
  "FILE = io.tmpfile() FILE:write('hello', 42) FILE:seek('set', 2) return FILE:seek('cur') .. ' ' .. FILE:seek('end')",
  "return tostring(os.setlocale('C')) .. tostring(os.setlocale('de_DE'))",
  "print('one line')",
  "print('several', 'things', 1, nil, true, {a = 1})",
  "for i = 1, 20 do print(i) end return 'after prints'",
  "return type(ao) .. type(Handlers) .. type(Inbox) .. #Inbox .. tostring(Name) .. tostring(Owner):sub(1, 5)",
  "return collectgarbage('count') > 100",
  "return tostring(collectgarbage('step', 100))",
]) {
  lua(code);
}

// JSON and the libraries that aos brings.
for (const code of [
  "json = require('json') return json.encode({a = {1, 2, 3}, b = 'text', c = true})",
  "return json.decode('{\"a\": [1, 2.5, -3e2, null], \"b\": {\"c\": \"\\\\u00e4\\\\n\"}}').b.c",
  "local ok, e = pcall(json.decode, '{\"a\": ') return tostring(e)",
  "local ok, e = pcall(json.encode, {1, 2, nil, 4, x = 1}) return tostring(ok)",
  "local t = {} for i = 1, 200 do t[i] = {id = i, text = 'item ' .. i, nested = {deep = {i}}} end local s = json.encode(t) return #s .. #json.decode(s)",
  "local ao_crypto = require('.crypto') return ao_crypto.digest.sha2_256('weft').asHex()",
  "return require('.crypto').digest.sha3_256('weft').asHex()",
  "return require('.base64').encode('weft and warp') .. require('.base64').decode('d2VmdA==')",
  "local bint = require('.bint')(256) return tostring(bint('123456789012345678901234567890') * bint('987654321098765432109876543210'))",
  "return tostring(require('.bint')(256)(2) ^ 200)",
  "local u = require('.utils') return table.concat(u.map(function(v) return v * 2 end, {1, 2, 3}), ' ')",
  "local u = require('.utils') return u.reduce(function(a, b) return a + b end, 0, u.filter(function(v) return v % 2 == 0 end, {1, 2, 3, 4}))",
  "return require('.pretty').tprint({a = 1, b = {c = 'd'}})",
  "return require('.stringify').format({1, 'two', {three = 3}})",
]) {
  lua(code);
}

// Handlers, sends, spawns and assignments.
lua("Handlers.add('ping', Handlers.utils.hasMatchingTag('Action', 'Ping'), function(m) ao.send({Target = m.From, Action = 'Pong', Data = 'pong ' .. (m.Data or '')}) end) return #Handlers.list");
act("Ping", [], "first");
act("Ping", [tag("Reference", "77")], "second", { From: AUTHORITY, Owner: AUTHORITY });
act("Ping", [], "from a stranger", { From: STRANGER, Owner: STRANGER });
lua("Handlers.add('count', 'Count', function(m) Counter = (Counter or 0) + (tonumber(m.Tags.By) or 1) m.reply({Data = tostring(Counter), Counter = tostring(Counter)}) end)");
for (let by = 1; by <= 6; by++) act("Count", [tag("By", String(by))]);
lua("Handlers.add('fails', 'Fails', function(m) Counter = Counter + 1000 error('the handler fails with ' .. m.Data) end)");
act("Fails", [], "this");
act("Count", [tag("By", "1")]);
act("Fails", [], "that", { From: STRANGER, Owner: STRANGER });
act("Count", [tag("By", "1")]);
lua("Send({Target = 'SOMEONE', Action = 'Hello', Data = 'data', ['X-Custom'] = 'tag value', Number = 5})");
lua("for i = 1, 10 do Send({Target = 'TARGET' .. i, Data = string.rep('d', i)}) end return 'sent'");
lua("ao.send({Target = 'A', Tags = {{name = 'One', value = '1'}, {name = 'Two', value = '2'}}, Data = json.encode({x = 1})})");
lua("Spawn('MODULE-ID', {Data = 'print(1)', Tags = {Name = 'child'}, Authority = 'X'})");
lua("ao.spawn('MODULE-ID', {Data = '', Tags = {{name = 'A', value = 'b'}}})");
lua("Assign({Processes = {ao.id, 'OTHER'}, Message = 'MESSAGE-TO-ASSIGN'})");
lua("ao.assign({Processes = {'P1'}, Message = 'M1', BaseLayer = true, Exclude = {'Data'}})");
lua("Send({Target = ao.id, Action = 'Count', By = '5'}) return #ao.outbox.Messages .. ' in the outbox'");
lua("Receive = Receive or nil; return type(Receive)");
lua("Handlers.once('once', 'Once', function(m) print('only once') end) return Handlers.list[1].name");
act("Once");
act("Once");
lua("Handlers.prepend('first', function(m) return m.Action == 'Order' and 'continue' end, function(m) Order = (Order or '') .. 'a' end)");
lua("Handlers.append('last', function(m) return m.Action == 'Order' end, function(m) Order = Order .. 'b' print(Order) end)");
act("Order");
lua("Handlers.remove('first') Handlers.remove('ping') return #Handlers.list");
act("Ping", [], "no handler now");
act("Unknown-Action", [tag("Odd", "✓"), tag("Empty", "")], "data that nobody handles");
act("Unknown-Action", [], '{"json": [1, 2, 3]}', { From: STRANGER, Owner: STRANGER });
act("Unknown-Action", [], "", { From: AUTHORITY, Owner: AUTHORITY });
act("Eval", [], "return 'a stranger may not evaluate'", { From: STRANGER, Owner: STRANGER });
message({}, [], "no tags at all");
message({ Tags: [] }, [], "an empty list of tags");
lua("return #Inbox .. ' ' .. tostring(Inbox[#Inbox].Data)");
lua("Inbox = {} return 'emptied'");

// Cron messages come without a signature.
for (let tick = 0; tick < 4; tick++) {
  const slot = messages.length;
  messages.push({
    Id: `CRON${tick}`,
    Owner: OWNER,
    Target: PROCESS,
    From: tick < 2 ? PROCESS : OWNER,
    Tags: [tag("Data-Protocol", "ao"), tag("Type", "Message"), tag("Action", "Cron"), tag("Cron-Interval", "1-minute")],
    Timestamp: START + slot * 60_000,
    "Block-Height": 1_300_000 + slot,
    Module: MODULE,
    Cron: true,
  });
  if (tick === 0) {
    lua("Handlers.add('tick', 'Cron', function(m) Ticks = (Ticks or 0) + 1 print('tick ' .. Ticks .. tostring(m.Cron)) end)");
  }
}

// A token, the most usual program.
lua(`Balances = { [ao.id] = '1000000' } Ticker = 'WFT'
local bint = require('.bint')(256)
Handlers.add('transfer', 'Transfer', function(m)
  assert(type(m.Recipient) == 'string', 'Recipient is required')
  local quantity = bint(m.Quantity)
  assert(bint.__lt(0, quantity), 'Quantity must be greater than 0')
  local from = m.From == Owner and ao.id or m.From
  local balance = bint(Balances[from] or '0')
  if not bint.__le(quantity, balance) then
    m.reply({Action = 'Transfer-Error', Error = 'Insufficient balance'})
    return
  end
  Balances[from] = tostring(balance - quantity)
  Balances[m.Recipient] = tostring(bint(Balances[m.Recipient] or '0') + quantity)
  m.reply({Action = 'Debit-Notice', Quantity = m.Quantity})
  Send({Target = m.Recipient, Action = 'Credit-Notice', Quantity = m.Quantity, Sender = from})
end)
Handlers.add('balances', 'Balances', function(m) m.reply({Data = require('json').encode(Balances)}) end)`);
for (let n = 1; n <= 8; n++) act("Transfer", [tag("Recipient", `HOLDER-${n % 3}`), tag("Quantity", String(n * 1000))]);
act("Transfer", [tag("Recipient", "X"), tag("Quantity", "99999999999")]);
act("Transfer", [tag("Quantity", "1")]);
act("Transfer", [tag("Recipient", "X"), tag("Quantity", "not a number")]);
act("Transfer", [tag("Recipient", "HOLDER-1"), tag("Quantity", "5")], "", { From: STRANGER, Owner: STRANGER });
act("Balances");

// Memory: growth, release, and more than there is.
lua("blob = string.rep('m', 20000000) return #blob");
lua("blob = nil collectgarbage() return 'released'");
lua("local t = {} for i = 1, 60000 do t[i] = {i} end return #t");
lua("collectgarbage() return 'collected'");
lua("return #string.rep('x', 900000000)");
lua("return 'alive after too much'");
lua("Output = 'kept' ao.outbox.Output = 'a text' return 'x'");

// The process ends itself, and goes on.
lua("before_exit = 'set' return before_exit");
lua("os.exit(3)");
lua("return tostring(before_exit)");
lua("return 'the last word', 'and an error'");
lua("return x");

process.stdout.write(JSON.stringify({ env, messages }));
