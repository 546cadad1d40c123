// Which number stands in a header line that may arrive byte by byte?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// The decimal number between the type byte and the CR of a header line, as Redis' <c>string2ll</c> takes it: <c>0</c>, or a 64-bit number without a leading
/// zero. No plus sign, no blanks, no <c>-0</c>.
/// </summary>
/// <param name="lowest">Nothing below is taken; 0 or less.</param>
internal struct HeaderNumber(long lowest)
{
    private readonly ulong _largestNegative = 0UL - (ulong)lowest;
    private ulong _magnitude;
    private bool _hasDigits;
    private bool _isNegative;
    private bool _isTooLong;

    /// <summary>The number read so far; <see cref="long.MaxValue"/> when it is too long for one.</summary>
    public readonly long Value => _isTooLong ? long.MaxValue : _isNegative ? (long)(0UL - _magnitude) : (long)_magnitude;

    /// <summary>Whether a CR may follow now.</summary>
    public readonly bool IsComplete => _hasDigits && !_isTooLong;

    /// <summary>Takes one byte in front of the CR; false when no such number goes on so. One above 64 bits is found at the CR, as it is by Redis.</summary>
    public bool TryAdd(byte value)
    {
        if (value == '-' && _largestNegative > 0 && !_hasDigits && !_isNegative)
        {
            _isNegative = true;
            return true;
        }

        var digit = value - (uint)'0';
        if (digit > 9) return false;
        if (_hasDigits ? _magnitude == 0 : _isNegative && digit == 0) return false;
        _hasDigits = true;
        if (_isTooLong) return true;
        var limit = _isNegative ? _largestNegative : long.MaxValue;
        _isTooLong = _magnitude > limit / 10 || (_magnitude * 10) + digit > limit;
        if (!_isTooLong) _magnitude = (_magnitude * 10) + digit;
        return !_isTooLong || !_isNegative;
    }
}
