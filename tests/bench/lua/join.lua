local parts = {}
for i = 1, 100000 do parts[i] = "item " .. i end
return #table.concat(parts, ",")
