using System.Text;

namespace KeyEvt.Forwarder.Filter;

/// <summary>One key mask as it was given: does a key match it?</summary>
/// <remarks>What a mask means is told at <see cref="MaskPattern"/>. Equal by content.</remarks>
public sealed class KeyMask : IEquatable<KeyMask>
{
    private readonly byte[] _bytes;
    private MaskMatcher? _matcher;

    private KeyMask(byte[] bytes)
    {
        _bytes = bytes;
        IsAll = bytes.AsSpan().SequenceEqual("ALL"u8);
    }

    /// <summary>The mask <c>ALL</c>, which matches every key.</summary>
    public static KeyMask All { get; } = Parse("ALL"u8);

    /// <summary>The mask as it was given.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>The mask is <c>ALL</c>: those three bytes and in upper case; <c>all</c> or <c>^ALL</c> are masks like any other.</summary>
    public bool IsAll { get; }

    internal MaskPattern Pattern => MaskPattern.Parse(IsAll ? [] : _bytes);

    /// <summary>Every string of bytes is a mask, so this cannot fail.</summary>
    public static KeyMask Parse(ReadOnlySpan<byte> mask) => new(mask.ToArray());

    /// <summary>Takes time linear in the key. Many masks at once: <see cref="KeyMaskSet.Matches"/>.</summary>
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

    /// <summary>For people: bytes outside printable ASCII, and the backslash, as <c>\xHH</c>.</summary>
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
