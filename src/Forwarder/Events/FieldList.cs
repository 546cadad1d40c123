namespace KeyEvt.Forwarder.Events;

/// <summary>Which fields does a list name? In the server's order; a field may be listed more than once.</summary>
/// <remarks>
/// <code>
/// list  = field *("," field)
/// field = length ":" bytes            length in bytes, decimal, no sign, no leading zeros; any bytes
/// </code>
/// This is the form that Redis 8.8 sends in a <c>__subkeyevent@</c> message (redis.io/docs/latest/develop/pubsub/subkeyspace-notifications), and the
/// stored form.
/// </remarks>
/// <param name="list">A valid list, or empty.</param>
public ref struct FieldList(ReadOnlySpan<byte> list)
{
    private const int MaxDigits = 9;

    private ReadOnlySpan<byte> _rest = list;

    /// <summary>The field that <see cref="MoveNext"/> has moved to.</summary>
    public ReadOnlySpan<byte> Current { get; private set; } = default;

    /// <summary>Whether the bytes are a list of at least one field, with nothing left over.</summary>
    public static bool IsValid(ReadOnlySpan<byte> list)
    {
        while (TryTake(ref list, out _))
        {
            if (list.IsEmpty) return true;
            if (list[0] != ',') return false;
            list = list[1..];
        }

        return false;
    }

    public readonly FieldList GetEnumerator() => this;

    public bool MoveNext()
    {
        if (!TryTake(ref _rest, out var field)) return false;

        Current = field;
        _rest = _rest.IsEmpty ? _rest : _rest[1..];
        return true;
    }

    /// <summary>Removes <c>length ":" bytes</c> from the front.</summary>
    internal static bool TryTake(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        int length = 0, digits = 0;
        for (; digits < rest.Length && (uint)(rest[digits] - '0') <= 9; digits++)
        {
            if (digits == MaxDigits) return false;
            length = (length * 10) + (rest[digits] - '0');
        }

        var isCanonical = digits == 1 || (digits > 1 && rest[0] != '0');
        if (!isCanonical || digits == rest.Length || rest[digits] != ':' || rest.Length - digits - 1 < length) return false;

        taken = rest.Slice(digits + 1, length);
        rest = rest[(digits + 1 + length)..];
        return true;
    }
}
