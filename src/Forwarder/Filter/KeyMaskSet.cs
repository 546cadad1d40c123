namespace KeyEvt.Forwarder.Filter;

/// <summary>All key masks in force: does a key match any of them?</summary>
public sealed class KeyMaskSet
{
    public static readonly KeyMaskSet Empty = new([], false);
    public static readonly KeyMaskSet All = new([], true);

    private KeyMaskSet(IReadOnlyList<KeyMask> masks, bool isAll) => (Masks, IsAll) = (masks, isAll);

    public IReadOnlyList<KeyMask> Masks { get; }

    public bool IsAll { get; }

    public KeyMaskSet Add(IEnumerable<KeyMask> masks) => new([.. Masks, .. masks], false);

    public bool Matches(ReadOnlySpan<byte> key) => IsAll;
}
