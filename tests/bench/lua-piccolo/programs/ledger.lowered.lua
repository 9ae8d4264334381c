local add, sub, le, mul, mod, concat, set = add, sub, le, mul, mod, concat, set
local balances = {}
for i = 1, 10000 do set(balances, concat("acc", i), 1000000) end
local seed = 42
for i = 1, 100000 do
  seed = mod(add(mul(seed, 1103515245), 12345), 2147483648)
  local from = concat("acc", add(mod(seed, 10000), 1))
  seed = mod(add(mul(seed, 1103515245), 12345), 2147483648)
  local to = concat("acc", add(mod(seed, 10000), 1))
  local quantity = mod(seed, 100)
  if le(quantity, balances[from]) then
    set(balances, from, sub(balances[from], quantity))
    set(balances, to, add(balances[to], quantity))
  end
end
return balances.acc7
