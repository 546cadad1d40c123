namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>What does the Redis list do in one step? Lua scripts with the list as KEYS[1].</summary>
/// <remarks>
/// Redis answers nobody while a script runs. So none of them looks for anything in the list: each touches its two ends only, and as many entries as it is about. What is not
/// where it should be is told, and the program finds out.
/// </remarks>
internal static class ListScripts
{
    /// <summary>
    /// ARGV: cap, how many the cap may drop, is-retry, entries. On a retry, nothing is appended when the end of the list is this very batch already: the
    /// first try had arrived, only its answer had not. Returns length and how many the cap dropped.
    /// </summary>
    public const string Append = """
        local key, cap, n = KEYS[1], tonumber(ARGV[1]), #ARGV - 3
        local there = false
        if n > 0 and ARGV[3] == '1' then
            there = redis.call('LINDEX', key, -1) == ARGV[#ARGV] and redis.call('LINDEX', key, -n) == ARGV[4]
        end
        if not there then
            for i = 4, #ARGV, 1000 do
                redis.call('RPUSH', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
            end
        end
        local length, trimmed = redis.call('LLEN', key), 0
        if cap > 0 and length > cap then
            trimmed = math.min(length - cap, tonumber(ARGV[2]))
            redis.call('LTRIM', key, trimmed, -1)
            length = length - trimmed
        end
        return {length, trimmed}
        """;

    /// <summary>
    /// ARGV: offset, entries at most, bytes at most; and, where that counts, how the first entry and the one before the offset must begin. One entry after the other, since nothing
    /// tells how large they are. Returns length, whether those are the expected ones, and the entries.
    /// </summary>
    public const string Read = """
        local key, from = KEYS[1], tonumber(ARGV[1])
        local length = redis.call('LLEN', key)
        local function isAt(place, head)
            local entry = redis.call('LINDEX', key, place)
            return entry and string.sub(entry, 1, #head) == head
        end
        if #ARGV > 3 and not (isAt(0, ARGV[4]) and (from == 1 or isAt(from - 1, ARGV[5]))) then return {length, 0, {}} end
        local entries, bytes = {}, 0
        for i = from, math.min(from + ARGV[2], length) - 1 do
            local entry = redis.call('LINDEX', key, i)
            entries[#entries + 1] = entry
            bytes = bytes + #entry
            if bytes >= tonumber(ARGV[3]) then break end
        end
        return {length, 1, entries}
        """;

    /// <summary>
    /// ARGV: count, how the first and how the last of so many entries begin, and the length that the list must have or -1. They are cut off when they are the front of the list;
    /// otherwise nothing is done. Returns length and whether it was done.
    /// </summary>
    public const string Remove = """
        local key, n, length = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[4])
        local function isAt(place, head)
            local entry = redis.call('LINDEX', key, place)
            return entry and string.sub(entry, 1, #head) == head
        end
        local isFront = (length < 0 or redis.call('LLEN', key) == length) and isAt(0, ARGV[2]) and (n == 1 or isAt(n - 1, ARGV[3]))
        if isFront then redis.call('LTRIM', key, n, -1) end
        return {redis.call('LLEN', key), isFront and 1 or 0}
        """;
}
