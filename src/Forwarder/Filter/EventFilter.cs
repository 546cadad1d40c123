using System.Numerics;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Filter;

/// <summary>Is an event wanted? Combines the classes with their masks, and the rules, so that an event costs one question.</summary>
/// <remarks>
/// An event has a class and a database, so the masks of all rules are grouped in advance. One group holds, for a class, the masks for every database.
/// Another holds, for a class and a database that a rule names, the masks for that database only. A group is one <see cref="KeyMaskSet"/>, which
/// reads the key once for all its masks. An event needs two groups at most. Groups with equal masks share one set. Immutable, so any number of
/// threads may use it.
/// </remarks>
public sealed class EventFilter
{
    /// <summary>
    /// Maximum total size of all groups. Each mask counts its length plus one, in each group that contains it. The limit bounds the memory of the
    /// matchers (some tens of megabytes) and the time for the slowest key (see <see cref="MaskMatcher"/>).
    /// </summary>
    public const int MaxSize = 1 << 18;

    private const int Classes = 32;

    /// <summary>The size counted for the groups of one database, however few masks they have.</summary>
    private const int SizeOfDatabase = Classes;

    private readonly EventClass _events;
    private readonly KeyMaskSet _masks;
    private readonly RuleSet _rules;

    /// <summary>The groups that hold in every database, by the bit number of the class.</summary>
    private readonly KeyMaskSet?[] _everywhere;

    /// <summary>The additional groups of a database that a rule names, by the bit number of the class.</summary>
    private readonly Dictionary<int, KeyMaskSet?[]> _byDatabase = [];

    public EventFilter(EventClass events, KeyMaskSet masks, RuleSet rules)
    {
        (_events, _masks, _rules) = (events, masks, rules);
        _everywhere = GroupsOf(masks, events, rules.Rules.Where(rule => rule.Database is null));
        foreach (var database in rules.Rules.Where(rule => rule.Database is not null).GroupBy(rule => rule.Database!.Value))
        {
            _byDatabase.Add(database.Key, GroupsOf(KeyMaskSet.Empty, EventClass.None, database));
            Size += SizeOfDatabase;
        }
    }

    /// <summary>The total size of all groups; see <see cref="MaxSize"/>.</summary>
    public long Size { get; private set; }

    /// <summary>Null, or one line that says why these masks and rules are too many.</summary>
    public static string? Fault(EventClass events, KeyMaskSet masks, RuleSet rules)
    {
        var size = new EventFilter(events, masks, rules).Size;
        return size <= MaxSize
            ? null
            : FormattableString.Invariant($"the masks and rules are too large together: they count {size} and may count {MaxSize} (each mask its length and 1, once more for each group of classes that has other masks)");
    }

    /// <summary>Whether this filter was made of these objects. A configuration that differs in other settings still holds the same objects.</summary>
    public bool IsOf(EventClass events, KeyMaskSet masks, RuleSet rules) => ReferenceEquals(_masks, masks) && ReferenceEquals(_rules, rules) && _events == events;

    /// <param name="eventClass">The event's class. Several classes if the server does not tell which of them it is; then one wanted class suffices.</param>
    public bool Wants(int database, EventClass eventClass, ReadOnlySpan<byte> key)
    {
        KeyMaskSet?[]? here = null;
        if (_byDatabase.Count > 0) _byDatabase.TryGetValue(database, out here);
        for (var left = (uint)eventClass; left != 0; left &= left - 1)
        {
            var index = BitOperations.TrailingZeroCount(left);
            if (_everywhere[index] is { } everywhere && everywhere.Matches(key)) return true;
            if (here?[index] is { } masks && masks.Matches(key)) return true;
        }

        return false;
    }

    private KeyMaskSet?[] GroupsOf(KeyMaskSet masks, EventClass events, IEnumerable<EventRule> rules)
    {
        var lists = new List<KeyMask>?[Classes];
        foreach (var rule in rules)
        {
            for (var left = (uint)rule.Events; left != 0; left &= left - 1)
            {
                (lists[BitOperations.TrailingZeroCount(left)] ??= []).Add(rule.Mask);
            }
        }

        var groups = new KeyMaskSet?[Classes];
        var known = new Dictionary<(bool WithMasks, List<KeyMask> List), KeyMaskSet>(SameMasks.Instance);
        for (var i = 0; i < Classes; i++)
        {
            var withMasks = ((uint)events & (1u << i)) != 0 && masks.Masks.Count > 0;
            if (!withMasks && lists[i] is null) continue;

            var key = (withMasks, lists[i] ?? []);
            if (!known.TryGetValue(key, out var group))
            {
                known.Add(key, group = (withMasks ? masks : KeyMaskSet.Empty).Add(key.Item2));
                Size += group.Masks.Sum(static mask => mask.Bytes.Length + 1L);
            }

            groups[i] = group;
        }

        return groups;
    }

    private sealed class SameMasks : IEqualityComparer<(bool WithMasks, List<KeyMask> List)>
    {
        public static readonly SameMasks Instance = new();

        public bool Equals((bool WithMasks, List<KeyMask> List) x, (bool WithMasks, List<KeyMask> List) y) =>
            x.WithMasks == y.WithMasks && x.List.SequenceEqual(y.List);

        public int GetHashCode((bool WithMasks, List<KeyMask> List) group)
        {
            var hash = new HashCode();
            hash.Add(group.WithMasks);
            foreach (var mask in group.List) hash.Add(mask);
            return hash.ToHashCode();
        }
    }
}
