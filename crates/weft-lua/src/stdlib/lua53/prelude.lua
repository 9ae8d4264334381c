local step, check, wrapped = ...
local create = coroutine.create

function string.gmatch(...)
  local text, pattern = check(...)
  local from = 0
  return function()
    return (function(next, ...)
      from = next
      return ...
    end)(step(text, pattern, from))
  end
end

function coroutine.wrap(...)
  local made = create(...)
  return function(...)
    return wrapped(made, ...)
  end
end
