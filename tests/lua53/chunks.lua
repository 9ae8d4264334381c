-- Splits a file into chunks and prints them as a list of JSON, each a text of Lua in quotes.
-- A chunk is the shortest run of paragraphs (stretches of lines between empty ones) that is a program. A variable that is local
-- to the whole file is made global, since chunks see no variables of each other.

local lines = {}
for line in io.lines(arg[1]) do lines[#lines + 1] = line end
if lines[1] and lines[1]:sub(1, 1) == "#" then lines[1] = "--" .. lines[1] end

local chunks, acc = {}, {}

local function whole() return load(table.concat(acc, "\n"), "=chunk", "t") ~= nil end

local function open(line)
  local rest = line:match("^local%s+function%s+(.*)$")
  if rest then return "function " .. rest end
  rest = line:match("^local%s+(.*)$")
  if not rest then return line end
  local names = rest:match("^([%w_%s,]-)%s*;?%s*%-%-.*$") or rest:match("^([%w_%s,]-)%s*;?%s*$")
  if names and names ~= "" and not names:find(",%s*$") then return names .. " = nil" end
  return rest
end

for _, line in ipairs(lines) do
  if line:match("^local%s") and whole() then line = open(line) end
  acc[#acc + 1] = line
  if line:match("^%s*$") and #acc > 1 and whole() then
    chunks[#chunks + 1] = table.concat(acc, "\n")
    acc = {}
  end
end
if #acc > 0 then chunks[#chunks + 1] = table.concat(acc, "\n") end

local out = {}
for _, text in ipairs(chunks) do
  -- Paragraphs of remarks alone are no chunks.
  if text:gsub("%-%-[^\n]*", ""):find("%S") then
    local quoted = string.format("%q", text):gsub("\r", "\\r")
    out[#out + 1] = '"' .. quoted:gsub('[%c"\\\127-\255]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
  end
end
io.write("[", table.concat(out, ",\n"), "]\n")
