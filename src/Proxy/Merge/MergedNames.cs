namespace KeyEvt.Proxy.Merge;

/// <summary>What is a client subscribed to at one moment, of what is merged? Immutable; a new one at each change.</summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="ByKey">By <see cref="KeyspaceNames.KeyOf"/>.</param>
internal sealed record MergedNames(long Version, IReadOnlyDictionary<string, MergedName> ByKey)
{
    public static MergedNames None { get; } = new(0, new Dictionary<string, MergedName>());

    public bool IsEmpty => ByKey.Count == 0;

    public MergedName? Find(bool isPattern, ReadOnlySpan<byte> name) => ByKey.GetValueOrDefault(KeyspaceNames.KeyOf(isPattern, name));

    /// <summary>The same when all of them are there already.</summary>
    public MergedNames With(IEnumerable<MergedName> names)
    {
        var next = new Dictionary<string, MergedName>(ByKey);
        var grown = false;
        foreach (var name in names) grown |= next.TryAdd(KeyspaceNames.KeyOf(name.IsPattern, name.Name.Span), name);
        return grown ? new MergedNames(Version + 1, next) : this;
    }

    /// <summary>Without those that are to be dropped; the same when there is none.</summary>
    public MergedNames Without(Func<string, MergedName, bool> isToBeDropped)
    {
        var next = new Dictionary<string, MergedName>();
        foreach (var (key, name) in ByKey)
        {
            if (isToBeDropped(key, name)) name.Drop();
            else next.Add(key, name);
        }

        return next.Count == ByKey.Count ? this : new MergedNames(Version + 1, next);
    }
}
