-- JSON written in Lua, as scripts carry it along: encodes and decodes a list of messages.
local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t" }
local encode

local function encode_list(list, out)
  for i = 1, #list do
    if i > 1 then out[#out + 1] = "," end
    encode(list[i], out)
  end
end

local function encode_object(object, out)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys)
  for i = 1, #keys do
    out[#out + 1] = (i > 1 and ',"' or '"') .. keys[i] .. '":'
    encode(object[keys[i]], out)
  end
end

function encode(value, out)
  local kind = type(value)
  if kind == "string" then
    out[#out + 1] = '"' .. string.gsub(value, '["\\\n\t]', escapes) .. '"'
  elseif kind == "table" and (value[1] ~= nil or next(value) == nil) then
    out[#out + 1] = "["
    encode_list(value, out)
    out[#out + 1] = "]"
  elseif kind == "table" then
    out[#out + 1] = "{"
    encode_object(value, out)
    out[#out + 1] = "}"
  else
    out[#out + 1] = tostring(value)
  end
end

local decode

local function blanks(text, at)
  local _, last = string.find(text, "^[ \n\r\t]*", at)
  return last + 1
end

local function decode_text(text, at)
  local parts, from = {}, at + 1
  while true do
    local stop = string.find(text, '["\\]', from)
    parts[#parts + 1] = string.sub(text, from, stop - 1)
    if string.byte(text, stop) == 34 then return table.concat(parts), stop + 1 end
    local escaped = string.sub(text, stop + 1, stop + 1)
    parts[#parts + 1] = escaped == "n" and "\n" or escaped == "t" and "\t" or escaped
    from = stop + 2
  end
end

local function decode_list(text, at)
  local list, count = {}, 0
  at = blanks(text, at + 1)
  if string.byte(text, at) == 93 then return list, at + 1 end
  while true do
    count = count + 1
    list[count], at = decode(text, at)
    at = blanks(text, at)
    if string.byte(text, at) == 93 then return list, at + 1 end
    at = at + 1
  end
end

local function decode_object(text, at)
  local object = {}
  at = blanks(text, at + 1)
  if string.byte(text, at) == 125 then return object, at + 1 end
  while true do
    local key, after = decode_text(text, blanks(text, at))
    object[key], at = decode(text, blanks(text, after) + 1)
    at = blanks(text, at)
    if string.byte(text, at) == 125 then return object, at + 1 end
    at = at + 1
  end
end

local words = { t = { true, 4 }, f = { false, 5 }, n = { nil, 4 } }

function decode(text, at)
  at = blanks(text, at)
  local first = string.sub(text, at, at)
  if first == "{" then return decode_object(text, at) end
  if first == "[" then return decode_list(text, at) end
  if first == '"' then return decode_text(text, at) end
  local word = words[first]
  if word then return word[1], at + word[2] end
  local from, last = string.find(text, "^-?%d+", at)
  return math.tointeger(tonumber(string.sub(text, from, last))), last + 1
end

local messages = {}
for i = 1, 200 do
  messages[i] = {
    id = "message " .. i,
    data = "line one\nline \"two\" of " .. i,
    tags = { { name = "Action", value = "Transfer" }, { name = "Quantity", value = i * 1000 } },
    trusted = i % 2 == 0,
  }
end
local length = 0
for round = 1, 10 do
  local out = {}
  encode(messages, out)
  local text = table.concat(out)
  messages = decode(text, 1)
  length = length + #text
end
return length
