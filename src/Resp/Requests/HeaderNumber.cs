// Which number stands in a header line that may arrive byte by byte?
namespace KeyEvt.Resp.Requests;

/// <summary>
/// The decimal number between the type byte and the CR of a header line, in the form that Redis' <c>string2ll</c> accepts: <c>0</c>, or a 64-bit
/// number without a leading zero. A plus sign, blanks and <c>-0</c> are refused.
/// </summary>
/// <param name="lowest">The lowest number that is accepted; 0 or less.</param>
internal struct HeaderNumber(long lowest)
{
    private readonly ulong _largestNegative = 0UL - (ulong)lowest;
    private ulong _magnitude;
    private bool _hasDigits;
    private bool _isNegative;
    private bool _isTooLong;

    /// <summary>The number read so far; <see cref="long.MaxValue"/> if it does not fit into 64 bits.</summary>
    public readonly long Value => _isTooLong ? long.MaxValue : _isNegative ? (long)(0UL - _magnitude) : (long)_magnitude;

    /// <summary>Whether a valid number has been read, so that a CR may follow.</summary>
    public readonly bool IsComplete => _hasDigits && !_isTooLong;

    /// <summary>
    /// Adds one byte that stands in front of the CR. Returns false if no valid number continues with this byte. A positive number above 64 bits is
    /// accepted here and reported at the CR through <see cref="IsComplete"/>, as Redis does.
    /// </summary>
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
