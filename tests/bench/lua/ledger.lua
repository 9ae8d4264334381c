local balances = {}
for i = 1, 10000 do balances["acc" .. i] = 1000000 end
local seed = 42
for i = 1, 100000 do
  seed = (seed * 1103515245 + 12345) % 2147483648
  local from = "acc" .. (seed % 10000 + 1)
  seed = (seed * 1103515245 + 12345) % 2147483648
  local to = "acc" .. (seed % 10000 + 1)
  local quantity = seed % 100
  if balances[from] >= quantity then
    balances[from] = balances[from] - quantity
    balances[to] = balances[to] + quantity
  end
end
return balances.acc7
