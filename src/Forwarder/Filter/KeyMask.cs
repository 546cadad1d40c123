using System.Text;

namespace KeyEvt.Forwarder.Filter;

/// <summary>One key mask as the user gave it: does a key match it?</summary>
/// <remarks><see cref="MaskPattern"/> describes what a mask means. Two masks are equal if their bytes are.</remarks>
public sealed class KeyMask : IEquatable<KeyMask>
{
    private readonly byte[] _bytes;

    /// <summary>Created at first use, by whichever thread is first; published with LazyInitializer.</summary>
    private MaskMatcher? _matcher;

    private KeyMask(byte[] bytes)
    {
        _bytes = bytes;
        IsAll = bytes.AsSpan().SequenceEqual("ALL"u8);
    }

    /// <summary>The mask <c>ALL</c>, which matches every key.</summary>
    public static KeyMask All { get; } = Parse("ALL"u8);

    /// <summary>The bytes of the mask as the user gave it.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Whether the mask is exactly the three bytes <c>ALL</c>. <c>all</c> and <c>^ALL</c> are masks like any other.</summary>
    public bool IsAll { get; }

    internal MaskPattern Pattern => MaskPattern.Parse(IsAll ? [] : _bytes);

    /// <summary>Creates a mask. This cannot fail, since every string of bytes is a mask.</summary>
    public static KeyMask Parse(ReadOnlySpan<byte> mask) => new(mask.ToArray());

    /// <summary>Takes time linear in the key's length. To match many masks at once use <see cref="KeyMaskSet.Matches"/>.</summary>
    public bool Matches(ReadOnlySpan<byte> key) => IsAll || Matcher.Matches(key);

    private MaskMatcher Matcher => _matcher ?? LazyInitializer.EnsureInitialized(ref _matcher, () => new MaskMatcher([Pattern]));

    public bool Equals(KeyMask? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    public override bool Equals(object? obj) => Equals(obj as KeyMask);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    /// <summary>The mask for people: backslashes and bytes outside printable ASCII are shown as <c>\xHH</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(_bytes.Length);
        foreach (var value in _bytes)
        {
            if (value is >= 0x20 and < 0x7f and not (byte)'\\')
            {
                text.Append((char)value);
            }
            else
            {
                text.Append("\\x").Append(Convert.ToHexStringLower([value]));
            }
        }

        return text.ToString();
    }
}
