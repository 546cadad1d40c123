namespace KeyEvt.Forwarder.Tests.Filter;

/// <summary>
/// What should a mask match? The matcher of The Practice of Programming, chapter 9, line by line, over bytes with a length in place of C strings. Slow and
/// obviously right; what was found out is kept, so that it ends also on long keys.
/// </summary>
internal sealed class PikeMatcher
{
    private readonly byte[] _mask;
    private readonly byte[] _key;
    private readonly bool?[,] _known;

    private PikeMatcher(byte[] mask, byte[] key) => (_mask, _key, _known) = (mask, key, new bool?[mask.Length + 1, key.Length + 1]);

    public static bool Matches(byte[] mask, byte[] key)
    {
        if (mask is [(byte)'A', (byte)'L', (byte)'L'])
        {
            return true;
        }

        var matcher = new PikeMatcher(mask, key);
        if (mask is [(byte)'^', ..])
        {
            return matcher.MatchHere(1, 0);
        }

        for (var k = 0; k <= key.Length; k++)
        {
            if (matcher.MatchHere(0, k))
            {
                return true;
            }
        }

        return false;
    }

    private bool MatchHere(int m, int k) => _known[m, k] ??= MatchHereUncached(m, k);

    private bool MatchHereUncached(int m, int k)
    {
        if (m == _mask.Length)
        {
            return true;
        }

        if (m + 1 < _mask.Length && _mask[m + 1] == '*')
        {
            return MatchStar(m, m + 2, k);
        }

        if (_mask[m] == '$' && m + 1 == _mask.Length)
        {
            return k == _key.Length;
        }

        return k < _key.Length && (_mask[m] == '.' || _mask[m] == _key[k]) && MatchHere(m + 1, k + 1);
    }

    private bool MatchStar(int starred, int rest, int k)
    {
        do
        {
            if (MatchHere(rest, k))
            {
                return true;
            }
        }
        while (k < _key.Length && (_key[k++] == _mask[starred] || _mask[starred] == '.'));
        return false;
    }
}
