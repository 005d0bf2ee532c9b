# lua: strings, tables, metatables, closures, coroutines, numbers, files, os.
# program-test: modes=chroot,overlay
cat >t.lua <<'END'
print(_VERSION, #arg)
local t = {} for i = 1, 1000 do t[i] = (i * 7919) % 1009 end table.sort(t) print(t[1], t[500], t[1000], #t)
print(string.format("%5.2f %d %s %q %x %g %a", 3.14159, 42, "str", "a\nb", 255, 1e100, 1))
for k, v in string.gmatch("a=1, b=2, c=3", "(%w+)=(%w+)") do io.write(k, v, " ") end print()
print(("hello world"):gsub("o", "0"), ("x"):rep(5, ","), ("abc"):reverse(), ("test123"):match("%a+(%d+)"), ("%d"):len())
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end return "end" end) print(co(), co(), co(), co())
local mt = setmetatable({}, {__index = function(_, k) return k .. "!" end, __call = function(_, x) return x + 1 end, __tostring = function() return "mt" end, __add = function() return 99 end}) print(mt.foo, mt(1), tostring(mt), mt + 1)
print(7 // 2, -7 // 2, 7 % -3, 7.5 // 2, 2^10, 10 / 2, 1 << 62, ~0, 5 & 3, "10" + 5, 1e15, 2^53, 0.1 + 0.2, 1/0, -1/0, 0/0 ~= 0/0, math.maxinteger + 1 == math.mininteger)
print(math.floor(-3.5), math.ceil(3.2), math.fmod(-7, 3), math.sqrt(2), math.sin(1), math.pi, math.type(1), math.type(1.0), math.tointeger(3.0), math.ult(1, -1))
print(pcall(error, {code = 1}), select("#", 1, nil, nil), pcall(function() local x = nil; return x.y end))
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end print(fib(22))
local f = io.open("out", "w") for i = 1, 100 do f:write(i, "\n") end f:close() local n = 0 for l in io.lines("out") do n = n + tonumber(l) end print(n)
print(string.pack("<i4 d z", 7, 1.5, "hi"):byte(1, -1)) print(string.unpack("<i4", "\1\0\0\0"), utf8.char(228, 8364), utf8.len("äö"), table.concat({1, 2, 3}, "-"), table.unpack({1, 2, 3}, 2))
print(os.date("!%F %T", 1e9), os.time({year = 2000, month = 1, day = 1, hour = 12}), os.getenv("LC_ALL"), type(os.clock()))
local p = io.popen("seq 5 | sort -r") print((p:read("a"):gsub("\n", " "))) print(p:close()) print(os.execute("exit 3"))
local s = {} for i = 1, 200000 do s[#s + 1] = i % 256 end local h = 0 for _, v in ipairs(s) do h = (h * 31 + v) & 0xffffffff end print(h, collectgarbage("count") > 0)
goto done do print("skipped") end ::done:: print(load("return 1 + 1")(), next({}), rawlen({1, 2}), #"\u{20AC}", not nil)
local weak = setmetatable({}, {__mode = "k"}) weak[{}] = 1 collectgarbage() print(next(weak)) do local c <close> = setmetatable({}, {__close = function() print("closed") end}) end
END
lua5.4 t.lua a b; echo $?; lua5.4 -e 'error("boom")' 2>&1; echo $?; lua5.4 -e 'os.exit(4)'; echo $?; echo 'print(1 + 1)' | lua5.4 -; lua5.4 -v | cut -d. -f1
