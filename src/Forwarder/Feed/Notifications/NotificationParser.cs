using System.Buffers;
using System.Runtime.CompilerServices;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>Is this frame a keyspace notification, and what does it say? Reads in place, without allocating and without exceptions.</summary>
/// <remarks>
/// <code>
/// frame   = (">" | "*") ("4" CRLF bulk("pmessage") bulk(pattern) | "3" CRLF bulk("message")) (bulk(channel) bulk(key) | bulk("sub" channel) bulk(fields))
/// bulk    = "$" length CRLF bytes CRLF          length in decimal, no sign, no leading zeros
/// channel = "__keyevent@" db "__:" event        for "sub" channel, "sub" stands behind the two underscores: __subkeyevent@
/// fields  = length ":" key "|" list             see FieldList
/// </code>
/// "&gt;" is a push of RESP3, "*" the same in RESP2 (redis.io/docs/latest/develop/reference/protocol-spec, .../keyspace-notifications,
/// .../subkeyspace-notifications). Anything else is not a notification. Neither are <c>__keyspace@</c> messages, which say the same a second time. An
/// event name with a control character does not come from Redis, since anyone may PUBLISH. A line feed in it could not be told from the end of the
/// name in a message's body, and a terminal may obey other control characters.
/// </remarks>
public static class NotificationParser
{
    private const int MaxDigits = 9;

    private static readonly SearchValues<byte> ControlCharacters = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(static code => (byte)code), 0x7f]);

    /// <param name="frame">Exactly one whole frame.</param>
    /// <param name="notification">Views into <paramref name="frame"/>.</param>
    public static bool TryParse(ReadOnlySpan<byte> frame, out Notification notification)
    {
        notification = default;
        if (frame is not [(byte)'>' or (byte)'*', .. var rest])
        {
            return false;
        }

        ReadOnlySpan<byte> pattern = default;
        if (TryTake(ref rest, "4\r\n$8\r\npmessage\r\n"u8))
        {
            if (!TryTakeBulk(ref rest, out pattern))
            {
                return false;
            }
        }
        else if (!TryTake(ref rest, "3\r\n$7\r\nmessage\r\n"u8))
        {
            return false;
        }

        if (!TryTakeBulk(ref rest, out var channel) || !TryTakeBulk(ref rest, out var key) || !rest.IsEmpty)
        {
            return false;
        }

        ReadOnlySpan<byte> fields = default;
        if (!TryTake(ref channel, "__keyevent@"u8) && !(TryTake(ref channel, "__subkeyevent@"u8) && TrySplit(ref key, out fields)))
        {
            return false;
        }

        if (!TryTakeNumber(ref channel, out var database) || !TryTake(ref channel, "__:"u8) || channel.IsEmpty || channel.ContainsAny(ControlCharacters))
        {
            return false;
        }

        notification = new Notification(database, channel, key, pattern, fields);
        return true;
    }

    /// <param name="payload">The payload of a subkeyevent message; replaced by its key.</param>
    private static bool TrySplit(scoped ref ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> fields)
    {
        fields = default;
        var rest = payload;
        if (!FieldList.TryTake(ref rest, out var key) || rest is not [(byte)'|', .. var list] || !FieldList.IsValid(list))
        {
            return false;
        }

        payload = key;
        fields = list;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // keeps rest in registers
    private static bool TryTakeBulk(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> bulk)
    {
        bulk = default;
        if (rest is not [(byte)'$', ..])
        {
            return false;
        }

        rest = rest[1..];
        if (!TryTakeNumber(ref rest, out var length) || !TryTake(ref rest, "\r\n"u8) || rest.Length < length)
        {
            return false;
        }

        bulk = rest[..length];
        rest = rest[length..];
        return TryTake(ref rest, "\r\n"u8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // keeps rest in registers
    private static bool TryTakeNumber(scoped ref ReadOnlySpan<byte> rest, out int number)
    {
        number = 0;
        var digits = 0;
        while (digits < rest.Length && (uint)(rest[digits] - '0') <= 9)
        {
            if (digits == MaxDigits)
            {
                return false;
            }

            number = (number * 10) + (rest[digits++] - '0');
        }

        var isCanonical = digits == 1 || (digits != 0 && rest[0] != '0');
        rest = rest[digits..];
        return isCanonical;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)] // keeps rest in registers
    private static bool TryTake(scoped ref ReadOnlySpan<byte> rest, scoped ReadOnlySpan<byte> expected)
    {
        if (!rest.StartsWith(expected))
        {
            return false;
        }

        rest = rest[expected.Length..];
        return true;
    }
}
