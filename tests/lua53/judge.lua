-- Runs one program and writes down what comes of it: tests/lua53/README.md says how that reads.
-- lua5.3 tests/lua53/judge.lua FILE

local unpack, sort, concat, format, type = table.unpack, table.sort, table.concat, string.format, type
local pcall, load, next, rawget, tostring = pcall, load, next, rawget, tostring
local mathtype, floor, byte, gsub, find, rep = math.type, math.floor, string.byte, string.gsub, string.find, string.rep
local write, select = io.write, select
string.find, string.gsub = find, gsub

local function float(f)
  if f ~= f then return "nan" end
  if f == math.huge then return "inf" end
  if f == -math.huge then return "-inf" end
  local text = format("%.17g", f)
  if not find(text, "[.e]") then text = text .. ".0" end
  return text
end

local function text(s)
  -- The sign of a NaN is not the same on every machine.
  s = gsub(s, "%-nan", "nan")
  return '"' .. gsub(s, '[%c"\\\127-\255]', function(c)
    if c == "\n" then return "\\n" end
    if c == '"' or c == "\\" then return "\\" .. c end
    return format("\\%03d", byte(c))
  end) .. '"'
end

local shown

local function entries(t, within)
  if within[t] then return "<cycle>" end
  if within.depth >= 100 then return "<deep>" end
  within[t], within.depth = true, within.depth + 1
  local parts, others, n = {}, {}, 0
  while rawget(t, n + 1) ~= nil do
    n = n + 1
    parts[n] = shown(rawget(t, n), within)
  end
  for k, v in next, t do
    if not (mathtype(k) == "integer" and k >= 1 and k <= n) then
      others[#others + 1] = "[" .. shown(k, within) .. "] = " .. shown(v, within)
    end
  end
  sort(others)
  for i = 1, #others do parts[n + i] = others[i] end
  within[t], within.depth = nil, within.depth - 1
  return "{" .. concat(parts, ", ") .. "}"
end

function shown(v, within)
  local kind = type(v)
  if kind == "string" then return text(v) end
  if kind == "table" then return entries(v, within) end
  if mathtype(v) == "float" then return float(v) end
  if kind == "number" or kind == "boolean" or kind == "nil" then return tostring(v) end
  return kind
end

local function all(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = shown((select(i, ...)), { depth = 0 }) end
  return concat(parts, ", ")
end

local file = assert(io.open(arg[1], "rb"))
local program = file:read("a")
file:close()
-- What a profile without the machine's files and other versions' functions does not have.
bit32, math.pow, math.cosh, math.sinh, math.tanh, math.frexp, math.ldexp, math.log10 = nil

local function outcome(ok, ...)
  if ok then
    write((gsub("ok " .. all(...), " $", "")))
  else
    write("error " .. all((...)))
  end
end

local chunk, message = load(program, "=script", "t")
if chunk then outcome(pcall(chunk)) else write("syntax " .. all(message)) end
