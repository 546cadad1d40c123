namespace KeyEvt.Forwarder.Fallback.Lists;

/// <summary>What does the Redis list do in one step? Lua scripts with the list as KEYS[1].</summary>
/// <remarks>
/// <para>
/// Redis serves no other client while a script runs. So no script searches the list: each touches only the two ends and its own entries. If an entry
/// is not where it is expected, the script reports that, and the program finds out why.
/// </para>
/// <para>
/// Each script begins with <see cref="Fence"/>: it does nothing for a program that is no longer the holder.
/// </para>
/// </remarks>
internal static class ListScripts
{
    /// <summary>
    /// KEYS[2]: where the term of the list's holder stands. The last of ARGV: the caller's term. Both are decimal numbers of up to 19 digits, more than the numbers of Lua can
    /// tell apart. So their lengths are compared, and then the digits. For a higher term there, nothing is done: returns -1 and that term. A lower one, or
    /// anything else that is no term, is replaced. A Redis without memory refuses even that; a list can still be read and made shorter then.
    /// </summary>
    private const string Fence = """
        local term, seen = table.remove(ARGV), redis.call('GET', KEYS[2])
        if seen ~= term then
            if seen and string.find(seen, '^[1-9]%d*$') and (#seen > #term or (#seen == #term and seen > term)) then return {-1, seen} end
            local written = redis.pcall('SET', KEYS[2], term)
            if written.err and not string.find(written.err, 'OOM', 1, true) then return written end
        end

        """;

    /// <summary>Returns the length.</summary>
    public const string Count = Fence + "return {redis.call('LLEN', KEYS[1])}";

    /// <summary>
    /// ARGV: cap, how many entries the cap may drop, is-retry, entries. On a retry nothing is appended if this batch is already the end of the list:
    /// then the first try had arrived, and only its answer was lost. Returns the length, and how many entries the cap dropped.
    /// </summary>
    public const string Append = Fence + """
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
    /// ARGV: offset, maximum number of entries, maximum bytes. Optional: how the first entry must begin, and how the entry in front of the offset
    /// must begin. Reads one entry at a time, since their sizes are not known in advance. Returns the length, whether those entries are the expected
    /// ones, and the entries.
    /// </summary>
    public const string Read = Fence + """
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
    /// ARGV: count, how the first and how the last of these entries begin, and the length that the list must have, or -1. Removes the entries if they
    /// are the front of the list; otherwise does nothing. Returns the length, and whether they were removed.
    /// </summary>
    public const string Remove = Fence + """
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
