local add, sub, lt = add, sub, lt
local function fib(n)
  if lt(n, 2) then return n end
  return add(fib(sub(n, 1)), fib(sub(n, 2)))
end
return fib(27)
