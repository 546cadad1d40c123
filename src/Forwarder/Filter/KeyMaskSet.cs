namespace KeyEvt.Forwarder.Filter;

/// <summary>All key masks in force: does a key match any of them?</summary>
/// <remarks>Immutable; a change makes a new set. Two sets are equal if they hold equal masks in the same order. Any number of threads may match.</remarks>
public sealed class KeyMaskSet : IEquatable<KeyMaskSet>
{
    /// <summary>No masks: nothing matches.</summary>
    public static readonly KeyMaskSet Empty = new([]);

    /// <summary>The one mask <c>ALL</c>: everything matches.</summary>
    public static readonly KeyMaskSet All = new([KeyMask.All]);

    private readonly KeyMask[] _masks;

    /// <summary>Created at first use, by whichever thread is first; published with LazyInitializer.</summary>
    private MaskMatcher? _matcher;

    private KeyMaskSet(KeyMask[] masks)
    {
        _masks = masks;
        Masks = Array.AsReadOnly(masks);
        IsAll = masks is [{ IsAll: true }];
    }

    /// <summary>The masks in the order in which they were given, without repetition. Only <c>ALL</c> if <see cref="IsAll"/> is true.</summary>
    public IReadOnlyList<KeyMask> Masks { get; }

    public bool IsAll { get; }

    /// <summary>
    /// Adds masks behind the present ones, except those that are already present. <c>ALL</c> replaces all other masks, and adding to <c>ALL</c>
    /// changes nothing. So a set never matches less after an addition.
    /// </summary>
    public KeyMaskSet Add(IEnumerable<KeyMask> masks)
    {
        KeyMask[] together = [.. _masks.Concat(masks).Distinct()];
        if (together.Length == _masks.Length)
        {
            return this;
        }

        return together.Any(mask => mask.IsAll) ? (IsAll ? this : All) : new KeyMaskSet(together);
    }

    /// <summary>Reads the key once for all masks together, and allocates nothing.</summary>
    public bool Matches(ReadOnlySpan<byte> key) => IsAll || (_masks.Length > 0 && Matcher.Matches(key));

    private MaskMatcher Matcher =>
        _matcher ?? LazyInitializer.EnsureInitialized(ref _matcher, () => new MaskMatcher([.. _masks.Select(mask => mask.Pattern)]));

    public bool Equals(KeyMaskSet? other) => other is not null && _masks.AsSpan().SequenceEqual(other._masks);

    public override bool Equals(object? obj) => Equals(obj as KeyMaskSet);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var mask in _masks)
        {
            hash.Add(mask);
        }

        return hash.ToHashCode();
    }
}
