using System.Text;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>What is a client subscribed to at one moment, of what is merged? Immutable; a new one at each change.</summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="ByKey">By <see cref="KeyOf"/>. Never changed.</param>
internal sealed record FanInNameSet(long Version, Dictionary<string, FanInName> ByKey)
{
    /// <summary>Of a longer name the key is made on the heap.</summary>
    private const int MaxOnStack = 256;

    public static FanInNameSet None { get; } = new(0, []);

    public bool IsEmpty => ByKey.Count == 0;

    /// <summary>How a name is looked up: a channel and a pattern of the same text are two things. One character a byte.</summary>
    public static string KeyOf(bool isPattern, ReadOnlySpan<byte> name) => string.Create(1 + name.Length, new Wanted(isPattern, name), static (key, wanted) => wanted.WriteTo(key));

    public FanInName? Find(bool isPattern, ReadOnlySpan<byte> name)
    {
        var key = name.Length < MaxOnStack ? stackalloc char[1 + name.Length] : new char[1 + name.Length];
        new Wanted(isPattern, name).WriteTo(key);
        return ByKey.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out var found) ? found : null;
    }

    /// <summary>The same when all of them are there already.</summary>
    public FanInNameSet With(IEnumerable<FanInName> names)
    {
        var next = new Dictionary<string, FanInName>(ByKey);
        var grown = false;
        foreach (var name in names) grown |= next.TryAdd(KeyOf(name.IsPattern, name.Name.Span), name);
        return grown ? new FanInNameSet(Version + 1, next) : this;
    }

    /// <summary>Without those that are to be dropped; the same when there is none.</summary>
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
