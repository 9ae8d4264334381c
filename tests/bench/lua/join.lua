local parts = {}
for i = 1, 100000 do parts[i] = "item " .. i end
local all = table.concat(parts, ",")
local count = 0
for _ in string.gmatch(all, "item") do count = count + 1 end
return #all + count
