local set, le, add = set, le, add
local t, i = {}, 1
while le(i, 1000000) do
  set(t, i, i)
  i = add(i, 1)
end
return t[1000000]
