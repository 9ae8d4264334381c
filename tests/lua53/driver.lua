-- Runs the chunks one after the other over the same globals. What a machine without files, programs and a debugger does not have
-- is taken away first, from whoever runs this: a chunk that needs it fails everywhere, and so is not portable.
local write, load, xpcall, tostring, type, gsub = io.write, load, xpcall, tostring, type, string.gsub
io = { write = function() return io end, stdout = { write = function(f) return f end } }
os = { time = os.time, date = os.date, clock = os.clock, getenv = os.getenv, difftime = os.difftime }
debug = { traceback = debug.traceback, getinfo = debug.getinfo, getmetatable = debug.getmetatable, setmetatable = debug.setmetatable }
package.loaded.io, package.loaded.os, package.loaded.debug = io, os, debug
package.loadlib, package.searchers, package.searchpath, package.cpath = nil
bit32, package.loaded.bit32, string.dump = nil
math.pow, math.cosh, math.sinh, math.tanh, math.frexp, math.ldexp, math.log10 = nil
print = function() end
arg = nil
_port, _soft, _noformatA = true, true, nil
local function shown(e) return (gsub(tostring(e), "\n", " ")) end
for i = 1, #chunks do
  local text = chunks[i]
  if text then
    write("<", i, "\n")
    local chunk, message = load(text, "=chunk")
    local ok = false
    if chunk then ok, message = xpcall(chunk, shown) end
    write(">", i, " ", ok and "ok" or shown(message), "\n")
  else
    write(">", i, " skipped\n")
  end
end
