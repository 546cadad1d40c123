using System.Text;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>Which names that are merged is a client subscribed to at one moment? Immutable; each change makes a new set.</summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="ByKey">The names, by <see cref="KeyOf"/>. Not changed after construction.</param>
internal sealed record FanInNameSet(long Version, Dictionary<string, FanInName> ByKey)
{
    /// <summary>For names of this length and longer, the lookup key is made on the heap.</summary>
    private const int MaxOnStack = 256;

    public static FanInNameSet None { get; } = new(0, []);

    public bool IsEmpty => ByKey.Count == 0;

    /// <summary>The key to look a name up by. It has one character per byte, and differs for a channel and a pattern of the same text.</summary>
    public static string KeyOf(bool isPattern, ReadOnlySpan<byte> name) => string.Create(1 + name.Length, new Wanted(isPattern, name), static (key, wanted) => wanted.WriteTo(key));

    public FanInName? Find(bool isPattern, ReadOnlySpan<byte> name)
    {
        var key = name.Length < MaxOnStack ? stackalloc char[1 + name.Length] : new char[1 + name.Length];
        new Wanted(isPattern, name).WriteTo(key);
        return ByKey.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out var found) ? found : null;
    }

    /// <summary>The set with these names added; the same object when all of them are in it already.</summary>
    public FanInNameSet With(IEnumerable<FanInName> names)
    {
        var next = new Dictionary<string, FanInName>(ByKey);
        var grown = false;
        foreach (var name in names) grown |= next.TryAdd(KeyOf(name.IsPattern, name.Name.Span), name);
        return grown ? new FanInNameSet(Version + 1, next) : this;
    }

    /// <summary>The set without the names that are to be dropped, which are also marked as dropped; the same object when there are none.</summary>
    public FanInNameSet Without(Func<string, FanInName, bool> isToBeDropped)
    {
        var next = new Dictionary<string, FanInName>();
        foreach (var (key, name) in ByKey)
        {
            if (isToBeDropped(key, name)) name.Drop();
            else next.Add(key, name);
        }

        return next.Count == ByKey.Count ? this : new FanInNameSet(Version + 1, next);
    }

    private readonly ref struct Wanted(bool isPattern, ReadOnlySpan<byte> name)
    {
        private readonly ReadOnlySpan<byte> _name = name;

        public void WriteTo(Span<char> key)
        {
            key[0] = isPattern ? 'p' : 'c';
            Encoding.Latin1.GetChars(_name, key[1..]);
        }
    }
}
