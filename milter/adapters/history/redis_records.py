"""Dossiers and trails as Redis keeps them, and the scripts that change them on the server.

One key is one dossier or one trail, and its value is one string of records: a look-up is one GET
with one reply, however many records there are, and a trail with a single mark (most of them) costs
no hash table. So each key is alone in its slot, each script names one key, and a Cluster may spread
them as it likes. A change of the format changes the name space, never the meaning of old octets.

The scripts do what `store` says of adding, bounding and expiry. They run alone on the server, so
two gateways that write the same key at once lose nothing. Numbers are little-endian.

Refuses nothing but octets that are not such records. Failure: `NotRecords`.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from milter.adapters.history.store import Entry, Mark, TrailRecord

# Entry: lengths of id and group, at, expires, length of value. Mark: length of field, first, last,
# expires, length of value. The octets follow in the same order.
_ENTRY: Final = struct.Struct("<BBqqI")
_MARK: Final = struct.Struct("<BqqqI")


class NotRecords(Exception):
    """The octets are not what we wrote."""


def packed_entries(entries: Iterable[Entry]) -> bytes:
    """Entries as the script takes them and the server keeps them."""
    return b"".join(
        _ENTRY.pack(len(one.event_id), len(one.group), one.at, one.expires, len(one.value))
        + one.event_id
        + one.group
        + one.value
        for one in entries
    )


def packed_marks(marks: Iterable[Mark]) -> bytes:
    """Marks as the script takes them and, after one octet of flags, the server keeps them."""
    return b"".join(
        _MARK.pack(len(one.field), one.first, one.last, one.expires, len(one.value))
        + one.field
        + one.value
        for one in marks
    )


def entries_in(octets: bytes) -> Iterator[Entry]:
    """The entries of a dossier as they lie, expired ones too."""
    position = 0
    while position < len(octets):
        ids, groups, at, expires, values = _head(_ENTRY, octets, position)
        position += _ENTRY.size
        end = position + ids + groups + values
        yield Entry(
            event_id=octets[position : position + ids],
            group=octets[position + ids : position + ids + groups],
            at=at,
            expires=expires,
            value=_whole(octets, position + ids + groups, end),
        )
        position = end


def marks_in(octets: bytes) -> Iterator[Mark]:
    """The marks of a trail as they lie, expired ones too."""
    position = 1
    while position < len(octets):
        fields, first, last, expires, values = _head(_MARK, octets, position)
        position += _MARK.size
        end = position + fields + values
        yield Mark(
            field=octets[position : position + fields],
            first=first,
            last=last,
            expires=expires,
            value=_whole(octets, position + fields, end),
        )
        position = end


def dossier(octets: bytes, now: int) -> tuple[Entry, ...]:
    """What of a dossier has not expired, by time, then id."""
    alive = [one for one in entries_in(octets) if one.expires > now]
    return tuple(sorted(alive, key=lambda one: (one.at, one.event_id)))


def trail(octets: bytes, now: int) -> TrailRecord:
    """What of a trail has not expired, oldest first."""
    alive = [one for one in marks_in(octets) if one.expires > now]
    return TrailRecord(
        marks=tuple(sorted(alive, key=lambda one: (one.first, one.field))),
        is_full=bool(alive) and octets[0] != 0,
    )


def _head(form: struct.Struct, octets: bytes, position: int) -> tuple[int, ...]:
    try:
        return form.unpack_from(octets, position)
    except struct.error as error:
        raise NotRecords("torn") from error


def _whole(octets: bytes, start: int, end: int) -> bytes:
    if end > len(octets):
        raise NotRecords("torn")
    return octets[start:end]


# Lua compares strings by the server's locale; which record pays must not depend on that.
_BELOW: Final = """
local function below(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = a:byte(i), b:byte(i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
"""

# How long a key lives is told relative to the gateway's clock: a server whose clock is wrong
# forgets nothing too early.
ADD_ENTRIES: Final = (
    _BELOW
    + """
local now, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept, known, latest, changed = {}, {}, 0, false
local function take(blob, is_new)
  local at_octet = 1
  while at_octet <= #blob do
    local ids, groups, at, expires, values, body = struct.unpack('<BBi8i8I4', blob, at_octet)
    local size = 22 + ids + groups + values
    local id = blob:sub(body, body + ids - 1)
    if expires <= now then
      changed = changed or not is_new
    elseif not known[id] then
      known[id] = true
      changed = changed or is_new
      latest = math.max(latest, expires)
      kept[#kept + 1] = {
        id = id, group = blob:sub(body + ids, body + ids + groups - 1), at = at,
        octets = blob:sub(at_octet, at_octet + size - 1)
      }
    end
    at_octet = at_octet + size
  end
end
take(redis.call('GET', KEYS[1]) or '', false)
take(ARGV[3], true)
while #kept > most do
  local counts, payer = {}, nil
  for _, one in ipairs(kept) do counts[one.group] = (counts[one.group] or 0) + 1 end
  for group, count in pairs(counts) do
    if not payer or count > counts[payer]
      or (count == counts[payer] and below(group, payer)) then payer = group end
  end
  local oldest
  for place, one in ipairs(kept) do
    local other = kept[oldest]
    if one.group == payer and (not other or one.at < other.at
      or (one.at == other.at and below(one.id, other.id))) then oldest = place end
  end
  table.remove(kept, oldest)
end
if not changed then return 0 end
if #kept == 0 then return redis.call('DEL', KEYS[1]) end
local parts = {}
for place, one in ipairs(kept) do parts[place] = one.octets end
-- Not APPEND, which would set aside as much again.
redis.call('SET', KEYS[1], table.concat(parts), 'EX', latest - now)
return #kept
"""
)

ADD_MARKS: Final = """
local now, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept, known, full, latest = {}, {}, 0, 0
local function take(blob, at_octet, add)
  while at_octet <= #blob do
    local fields, first, last, expires, values, body = struct.unpack('<Bi8i8i8I4', blob, at_octet)
    local after = body + fields
    if expires > now then
      add({
        field = blob:sub(body, after - 1), first = first, last = last, expires = expires,
        value = blob:sub(after, after + values - 1)
      })
    end
    at_octet = after + values
  end
end
local function keep(mark)
  kept[#kept + 1] = mark
  known[mark.field] = mark
end
local old = redis.call('GET', KEYS[1]) or ''
take(old, 2, keep)
if #kept > 0 then full = old:byte(1) end
take(ARGV[3], 1, function(mark)
  local other = known[mark.field]
  if other then
    if mark.first < other.first then other.first, other.value = mark.first, mark.value end
    other.last = math.max(other.last, mark.last)
    other.expires = math.max(other.expires, mark.expires)
  elseif #kept >= most then
    full = 1
  else
    keep(mark)
  end
end)
if #kept == 0 then
  redis.call('DEL', KEYS[1])
  return 0
end
local parts = { string.char(full) }
for _, one in ipairs(kept) do
  latest = math.max(latest, one.expires)
  parts[#parts + 1] = struct.pack(
    '<Bi8i8i8I4', #one.field, one.first, one.last, one.expires, #one.value)
  parts[#parts + 1] = one.field
  parts[#parts + 1] = one.value
end
redis.call('SET', KEYS[1], table.concat(parts), 'EX', latest - now)
return #kept
"""

# Removes records by name (ARGV from the third on), or by time (ARGV[2], 0: none); ARGV[1] is the
# kind. Gives how many went.
REMOVE: Final = """
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
local is_trail, now, names, gone = ARGV[1] == 'trail', tonumber(ARGV[2]), {}, 0
for i = 3, #ARGV do names[ARGV[i]] = true end
local parts, at_octet = {}, is_trail and 2 or 1
while at_octet <= #old do
  local name, expires, after
  if is_trail then
    local fields, _, _, till, values, body = struct.unpack('<Bi8i8i8I4', old, at_octet)
    name, expires, after = old:sub(body, body + fields - 1), till, body + fields + values
  else
    local ids, groups, _, till, values, body = struct.unpack('<BBi8i8I4', old, at_octet)
    name, expires, after = old:sub(body, body + ids - 1), till, body + ids + groups + values
  end
  if names[name] or expires <= now then
    gone = gone + 1
  else
    parts[#parts + 1] = old:sub(at_octet, after - 1)
  end
  at_octet = after
end
if #parts == 0 then
  redis.call('DEL', KEYS[1])
elseif gone > 0 then
  local flags = is_trail and old:sub(1, 1) or ''
  redis.call('SET', KEYS[1], flags .. table.concat(parts), 'KEEPTTL')
end
return gone
"""
