// Which number stands in a header line that may arrive byte by byte?
namespace KeyEvt.Resp;

/// <summary>
/// The decimal number between the type byte and the CR of a header line, canonical only: <c>0</c>, or digits without a leading zero; where
/// allowed also <c>-1</c>. No plus sign, no blanks.
/// </summary>
internal struct HeaderNumber(bool minusOneAllowed)
{
    /// <summary>As many digits as always fit a <see cref="long"/>; a longer number is over every limit.</summary>
    private const int MaxDigits = 18;

    private int _digits;
    private bool _negative;

    /// <summary>The number read so far; <see cref="long.MaxValue"/> when it is longer than any limit.</summary>
    public long Value { get; private set; }

    /// <summary>Whether a CR may follow now.</summary>
    public readonly bool IsComplete => _digits > 0;

    /// <summary>Takes one byte in front of the CR; false when no canonical number goes on so.</summary>
    public bool TryAdd(byte value)
    {
        if (value == '-' && minusOneAllowed && _digits == 0 && !_negative)
        {
            _negative = true;
            return true;
        }

        var digit = value - (uint)'0';
        if (digit > 9) return false;
        if (_negative)
        {
            if (digit != 1 || _digits > 0) return false;
            _digits = 1;
            Value = -1;
            return true;
        }

        if (_digits == 1 && Value == 0) return false;
        if (_digits < MaxDigits)
        {
            _digits++;
            Value = (Value * 10) + digit;
        }
        else
        {
            Value = long.MaxValue;
        }

        return true;
    }
}
