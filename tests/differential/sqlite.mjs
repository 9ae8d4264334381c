// SQL through Lua, for the sqlite module: tables, rows, transactions, functions, errors; in memory and in a file. The same on every
// machine.
//
//   node tests/differential/sqlite.mjs              writes {"env": …, "messages": […], "memory_until": …} to standard output

const PROCESS = "PROCESSsqlite-process-of-weft-00000000000000";
const OWNER = "OWNERsqlite-owner-of-weft-00000000000000000";
const MODULE = "MODULEsqlite-module-of-weft-000000000000000";
const env = {
  Process: { Id: PROCESS, Owner: OWNER, Tags: [{ name: "Data-Protocol", value: "ao" }, { name: "Type", value: "Process" }, { name: "Name", value: "sqlite" }] },
  Module: { Id: MODULE, Owner: OWNER, Tags: [] },
};
const messages = [];

function message(tags, data) {
  const slot = messages.length;
  messages.push({
    Id: slot === 0 ? PROCESS : `MESSAGEsqlite-message-of-weft-000000000${String(slot).padStart(4, "0")}`,
    Signature: "",
    Data: data,
    Owner: OWNER,
    Target: PROCESS,
    Anchor: "",
    From: OWNER,
    Tags: [{ name: "Data-Protocol", value: "ao" }, ...tags],
    Epoch: 0,
    Nonce: slot,
    Timestamp: 1_700_000_000_000 + slot * 1000,
    "Block-Height": 1_400_000 + slot,
    "Hash-Chain": "",
    Module: MODULE,
    Cron: false,
    "Read-Only": false,
  });
}
const lua = (code) => message([{ name: "Action", value: "Eval" }], code);
const quoted = (sql) => `[==[${sql}]==]`;
/** Runs SQL that gives nothing. */
const exec = (sql, db = "db") => lua(`return tostring(${db}:exec(${quoted(sql)})) .. ' ' .. ${db}:errmsg() .. ' ' .. ${db}:changes() .. ' ' .. ${db}:total_changes()`);
/** Shows all rows of a query. */
const query = (sql, db = "db") => lua(`return Show(${db}, ${quoted(sql)})`);

message([{ name: "Type", value: "Process" }], "");
lua("sqlite3 = require('lsqlite3') return sqlite3.version() .. tostring(sqlite3.OK) .. tostring(sqlite3.ERROR)");
lua(`function Show(db, sql)
  local lines = {}
  for row in db:rows(sql) do
    local cells = {}
    for i = 1, #row do cells[i] = math.type(row[i]) == 'float' and string.format('%.15g', row[i]) or tostring(row[i]) end
    lines[#lines + 1] = table.concat(cells, '|')
  end
  return table.concat(lines, ';') .. ' ' .. db:errcode()
end return 'defined'`);
lua("db = sqlite3.open_memory() return tostring(db:isopen()) .. db:errmsg()");

// Tables, and what they keep.
exec("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER, weight REAL, note BLOB)");
exec("CREATE TABLE people (id INTEGER)");
exec("CREATE TABLE IF NOT EXISTS people (id INTEGER)");
for (let n = 1; n <= 30; n++) exec(`INSERT INTO people (name, age, weight) VALUES ('person ${n}', ${n * 3}, ${n * 1.25})`);
exec("INSERT INTO people (name, note) VALUES ('ünïcödé ✓ 漢字 🙂', x'00ff10')");
exec("INSERT INTO people (id, name) VALUES (1, 'twice')");
exec("INSERT INTO people (age) VALUES (3)");
exec("INSERT OR REPLACE INTO people (id, name, age) VALUES (2, 'another', 99)");
exec("INSERT OR IGNORE INTO people (id, name) VALUES (2, 'ignored')");
lua("return db:last_insert_rowid()");
for (const sql of [
  "SELECT count(*), sum(age), avg(weight), min(name), max(age), total(age) FROM people",
  "SELECT * FROM people ORDER BY id LIMIT 3",
  "SELECT name FROM people WHERE age BETWEEN 10 AND 30 ORDER BY age DESC",
  "SELECT upper(name), length(name), hex(note), typeof(note) FROM people WHERE note IS NOT NULL",
  "SELECT age % 7 AS k, count(*), group_concat(id) FROM people GROUP BY k HAVING count(*) > 1 ORDER BY k",
  "SELECT a.name, b.name FROM people a JOIN people b ON a.age = b.age + 3 ORDER BY a.id LIMIT 5",
  "SELECT a.id, b.id FROM people a LEFT JOIN people b ON b.age = a.age * 2 ORDER BY a.id LIMIT 8",
  "SELECT DISTINCT age / 10 FROM people ORDER BY 1",
  "SELECT CASE WHEN age IS NULL THEN 'none' WHEN age < 20 THEN 'young' ELSE 'old' END c, count(*) FROM people GROUP BY c",
  "SELECT name FROM people WHERE name LIKE '%1_' ORDER BY name",
  "SELECT name FROM people WHERE name GLOB '*[5-7]' ORDER BY name",
  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 50) SELECT sum(x), max(x) FROM c",
  "WITH RECURSIVE f(a, b) AS (VALUES (0, 1) UNION ALL SELECT b, a + b FROM f LIMIT 60) SELECT max(a) FROM f",
  "SELECT id, sum(age) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), rank() OVER (ORDER BY age) FROM people WHERE id < 8",
  "SELECT id FROM people WHERE id IN (SELECT id + 1 FROM people WHERE age > 40) ORDER BY id",
  "SELECT id FROM people WHERE EXISTS (SELECT 1 FROM people p WHERE p.id = people.age) ORDER BY id",
  "SELECT id FROM people UNION SELECT age FROM people INTERSECT SELECT 3 * id FROM people ORDER BY 1",
  "VALUES (1, 'a'), (2, 'b')",
  "SELECT 1 / 0, 1.0 / 3, 9223372036854775807 + 1, 'a' || 1, NULL IS NULL, 5 & 3 | 8, 1 << 40",
  "SELECT round(2.567, 2), abs(-5), substr('abcdef', 2, 3), replace('aXbX', 'X', '-'), trim('  x '), instr('hello', 'l')",
  "SELECT coalesce(NULL, 3), ifnull(NULL, 'x'), nullif(1, 1), iif(1, 'yes', 'no'), char(72, 105), unicode('A'), quote('it''s'), printf('%05d|%.3f|%s', 42, 1.5, 'x')",
  "SELECT date('2024-02-29', '+1 year'), strftime('%Y-%m-%d %H:%M:%S', 1700000000, 'unixepoch'), julianday('2000-01-01'), time('12:34:56')",
  "SELECT json_extract('{\"a\": [1, {\"b\": 2}]}', '$.a[1].b'), json_array(1, 'x', NULL), json_type('[]')",
  "SELECT max(1, 5, 3), min('b', 'a'), likely(1), sqlite_version() > '3'",
  "SELECT CAST('12abc' AS INTEGER), CAST(3.9 AS INTEGER), CAST(7 AS TEXT), typeof(1), typeof(1.0), typeof('1'), typeof(NULL)",
  "SELECT 0.1 + 0.2, 1e308 * 10, -1e308 * 10, 1e-320, 123456789.123456789",
  "EXPLAIN QUERY PLAN SELECT * FROM people WHERE age = 5",
  "SELECT name, sql FROM sqlite_master ORDER BY name",
  "PRAGMA table_info(people)",
  "SELECT nothing FROM people",
  "SELECT * FROM nowhere",
  "SELEC 1",
  "",
]) query(sql);

// Changes.
exec("UPDATE people SET age = age + 1 WHERE id % 2 = 0");
exec("UPDATE people SET name = name || '!' WHERE id <= 3 RETURNING name");
exec("DELETE FROM people WHERE id > 18");
exec("ALTER TABLE people ADD COLUMN city TEXT DEFAULT 'nowhere'");
exec("CREATE INDEX by_age ON people (age)");
exec("CREATE UNIQUE INDEX by_name ON people (name)");
exec("INSERT INTO people (name) SELECT name FROM people WHERE id = 4");
query("EXPLAIN QUERY PLAN SELECT * FROM people WHERE age = 5");
exec("CREATE VIEW elders AS SELECT id, name FROM people WHERE age > 30");
query("SELECT * FROM elders ORDER BY id");
exec("CREATE TABLE log (at INTEGER, what TEXT)");
exec("CREATE TRIGGER told AFTER UPDATE ON people BEGIN INSERT INTO log VALUES (new.id, old.age || '->' || new.age); END");
exec("UPDATE people SET age = 50 WHERE id IN (4, 5, 6)");
query("SELECT * FROM log");
exec("INSERT INTO people (id, name) VALUES (4, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name || ' upserted'");
query("SELECT id, name FROM people WHERE id = 4");
exec("CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (id INTEGER REFERENCES parent (id) ON DELETE CASCADE, CHECK (id < 100))");
exec("PRAGMA foreign_keys = ON");
exec("INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1), (1), (2)");
exec("INSERT INTO child VALUES (7)");
exec("INSERT INTO child VALUES (500)");
exec("DELETE FROM parent WHERE id = 1");
query("SELECT count(*) FROM child");

// Transactions.
exec("BEGIN");
for (let n = 0; n < 6; n++) exec(`INSERT INTO log VALUES (${n}, 'in a transaction')`);
query("SELECT count(*) FROM log");
exec("ROLLBACK");
query("SELECT count(*) FROM log");
exec("BEGIN IMMEDIATE");
exec("INSERT INTO log VALUES (100, 'kept')");
exec("SAVEPOINT one");
exec("INSERT INTO log VALUES (101, 'dropped')");
exec("SAVEPOINT two");
exec("INSERT INTO log VALUES (102, 'dropped as well')");
exec("ROLLBACK TO one");
exec("RELEASE one");
exec("COMMIT");
query("SELECT * FROM log WHERE at >= 100");
exec("COMMIT");
exec("BEGIN; BEGIN");
exec("ROLLBACK");
lua("db:exec('BEGIN') for i = 1, 2000 do db:exec('INSERT INTO log VALUES (' .. i .. ', \\'many\\')') end db:exec('COMMIT') return db:total_changes()");
query("SELECT what, count(*), sum(at) FROM log GROUP BY what ORDER BY what");
lua("db:exec('BEGIN') db:exec('DELETE FROM log') error('a failed message takes the transaction with it')");
query("SELECT count(*) FROM log");
exec("ROLLBACK");

// Statements.
lua("stmt = db:prepare('INSERT INTO people (name, age) VALUES (?, ?)') return type(stmt) .. stmt:bind_parameter_count() .. stmt:columns()");
for (let n = 0; n < 8; n++) lua(`stmt:bind_values('bound ${n}', ${n * 7}) local r = stmt:step() stmt:reset() return r .. ' ' .. db:last_insert_rowid()`);
lua("return stmt:finalize()");
lua("return tostring(pcall(function() return stmt:step() end))");
lua("local s = db:prepare('SELECT :a + @b, $c') s:bind_names({a = 4, b = 5, c = 'six'}) local r = {} for row in s:rows() do r[1] = row[1] r[2] = row[2] end s:finalize() return r[1] .. r[2]");
lua("local s = db:prepare('SELECT id, name, age FROM people WHERE age > ? ORDER BY id') s:bind(1, 20) local n = '' for row in s:nrows() do n = n .. row.id .. row.name .. ' ' end s:finalize() return n");
lua("local s = db:prepare('SELECT 1, 2.5, \\'three\\', NULL, x\\'0102\\'') s:step() local v = s:get_values() local t = {} for i = 1, 5 do t[i] = type(v[i]) end local n = table.concat(s:get_names(), ' ') local ty = s:get_name(0) s:finalize() return table.concat(t, ' ') .. n .. ty");
lua("local t = {} for name, age in db:urows('SELECT name, age FROM people WHERE id < 5') do t[#t + 1] = name .. tostring(age) end return table.concat(t, ',')");
lua("local s, why = db:prepare('SELECT * FROM nowhere') return tostring(s) .. tostring(why) .. db:errmsg()");
lua("return tostring(db:exec('SELECT 1; SELECT nothing; SELECT 2', function() return 0 end)) .. db:errmsg()");
lua("local n = 0 db:exec('SELECT id, name FROM people', function(_, columns, values, names) n = n + columns return n > 10 and 1 or 0 end) return n");

// Functions of Lua in SQL.
lua("db:create_function('twice', 1, function(context, x) context:result_number(x * 2) end) return 'made'");
query("SELECT twice(age), twice(2.5) FROM people WHERE id < 4");
lua("db:create_function('shout', 1, function(context, s) context:result_text(s:upper() .. '!') end) return 'made'");
query("SELECT shout(name) FROM people WHERE id < 4");
lua("db:create_function('fails', 0, function(context) context:result_error('it fails as it should') end) return 'made'");
query("SELECT fails()");
lua("db:create_aggregate('product', 1, function(context, x) context:set_aggregate_data((context:get_aggregate_data() or 1) * x) end, function(context) context:result_number(context:get_aggregate_data() or 0) end) return 'made'");
query("SELECT product(id) FROM people WHERE id < 10");
lua("db:create_collation('backwards', function(a, b) if a < b then return 1 elseif a > b then return -1 else return 0 end end) return 'made'");
query("SELECT name FROM people ORDER BY name COLLATE backwards LIMIT 3");

// Size.
exec("CREATE TABLE big (id INTEGER PRIMARY KEY, text TEXT)");
for (let n = 0; n < 10; n++) exec(`WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100) INSERT INTO big (text) SELECT printf('row %d of ${n}', x) FROM c`);
query("SELECT count(*), sum(length(text)), max(text) FROM big");
query("SELECT count(*) FROM big WHERE text LIKE '%7 of 3'");
exec("INSERT INTO big (text) VALUES (printf('%.*c', 200000, 'x'))");
query("SELECT length(text), substr(text, 1, 5) FROM big WHERE length(text) > 1000");
exec("DELETE FROM big WHERE id % 3 = 0");
query("PRAGMA page_count");
query("PRAGMA integrity_check");
exec("DROP TABLE big");
query("SELECT count(*) FROM sqlite_master");

// Two at once, and a file.
lua("other = sqlite3.open_memory() other:exec('CREATE TABLE t (x)') for i = 1, 5 do other:exec('INSERT INTO t VALUES (' .. i * i .. ')') end return Show(other, 'SELECT sum(x) FROM t')");
query("SELECT * FROM t", "other");
lua("other:close() return tostring(other:isopen())");
lua("return tostring(pcall(function() return other:exec('SELECT 1') end))");
for (let n = 0; n < 5; n++) query(`SELECT ${n}, count(*), sum(age) FROM people WHERE id % 5 = ${n}`);

// From here on SQLite asks for random numbers, of which the loader gives those of its machine: its memory is no reference any more.
const memory_until = messages.length;
query("SELECT typeof(random()), length(randomblob(8))");
exec("ALTER TABLE people RENAME COLUMN weight TO mass");
exec("VACUUM");
query("PRAGMA integrity_check");
lua("file, code, why = sqlite3.open('/home/web_user/weft.db') return tostring(file and file:isopen()) .. tostring(code) .. tostring(why)");
exec("CREATE TABLE kept (id INTEGER PRIMARY KEY, x TEXT)", "file");
for (let n = 0; n < 6; n++) exec(`INSERT INTO kept (x) VALUES ('in a file ${n}')`, "file");
query("SELECT * FROM kept", "file");
exec("BEGIN; UPDATE kept SET x = x || '?'; ROLLBACK", "file");
query("SELECT max(x) FROM kept", "file");
lua("file:close() file = sqlite3.open('/home/web_user/weft.db') return Show(file, 'SELECT count(*) FROM kept')");
lua("file:close() return tostring(os.remove('/home/web_user/weft.db'))");
lua("local f, code, why = sqlite3.open('/nowhere/at/all.db') return tostring(f) .. tostring(code) .. tostring(why)");
lua("db:close() return 'closed'");

process.stdout.write(JSON.stringify({ env, messages, memory_until }));
