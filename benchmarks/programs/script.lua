-- Lua: tables, strings, closures, metatables, string patterns and floating point. Prints a checksum of each part.

local random_state = 42
local function random(limit)
  random_state = (random_state * 1103515245 + 12345) % 2147483648
  return random_state // 65536 % limit + 1
end

local function sieve(limit)
  local composite, count = {}, 0
  for i = 2, limit do
    if not composite[i] then
      count = count + 1
      for j = i * i, limit, i do composite[j] = true end
    end
  end
  return count
end

local function words(count)
  local list, seen = {}, {}
  for i = 1, count do
    local letters = {}
    for j = 1, 3 + random(5) do letters[j] = string.char(96 + random(26)) end
    local word = table.concat(letters)
    seen[word] = (seen[word] or 0) + 1
    list[i] = word
  end
  table.sort(list, function(a, b) return a > b end)
  local distinct = 0
  for _ in pairs(seen) do distinct = distinct + 1 end
  return distinct, list[1], list[#list], table.concat(list, " ")
end

local function patterns(text)
  local vowels, longest = 0, ""
  for word in text:gmatch("%a+") do
    if #word > #longest then longest = word end
  end
  local changed, replaced = text:gsub("([aeiou])(%a)", function(a, b) vowels = vowels + 1 return b .. a end)
  return vowels, replaced, #changed, changed:find("zz", 1, true) or 0, longest
end

local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({x = a.x + b.x, y = a.y + b.y}, Vector) end
function Vector:length() return math.sqrt(self.x * self.x + self.y * self.y) end

local function vectors(count)
  local sum = setmetatable({x = 0, y = 0}, Vector)
  for i = 1, count do sum = sum + setmetatable({x = i % 7 - 3, y = i % 5 - 1.5}, Vector) end
  return string.format("%.4f", sum:length())
end

local function queens(size)
  local found, columns, rising, falling = 0, {}, {}, {}
  local function place(row)
    if row > size then
      found = found + 1
      return
    end
    for column = 1, size do
      if not (columns[column] or rising[row + column] or falling[row - column]) then
        columns[column], rising[row + column], falling[row - column] = true, true, true
        place(row + 1)
        columns[column], rising[row + column], falling[row - column] = nil, nil, nil
      end
    end
  end
  place(1)
  return found
end

local scale = tonumber(arg[1]) or 1
print("sieve", sieve(math.floor(400000 * scale)))
local distinct, first, last, text = words(math.floor(15000 * scale))
print("words", distinct, first, last)
print("patterns", patterns(text))
print("vectors", vectors(math.floor(150000 * scale)))
print("queens", queens(8))
