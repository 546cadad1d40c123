using KeyEvt.Forwarder.Group;
using Microsoft.Extensions.Time.Testing;

namespace KeyEvt.Forwarder.Tests.Group.Simulation;

/// <summary>
/// One node's stream and up to five programs that share it, with everything that can go wrong between them, all by one seed and in virtual time.
/// What reaches the broker is compared with what the node has sent.
/// </summary>
internal sealed class SimulatedWorld
{
    private readonly Random _random;
    private readonly double _faults;
    private readonly int _most;
    private readonly Dictionary<int, string> _idOf = [];
    private readonly Dictionary<string, int> _eventOf = [];
    private readonly HashSet<(int From, int To)> _gaps = [];
    private readonly Dictionary<StreamPlace, int> _indexOf = [];
    private readonly HashSet<int> _beforeFresh = [];
    private readonly HashSet<int> _late = [];
    private readonly HashSet<int> _unknowable = [];
    private readonly List<(MessageId Claim, int To)> _leftToOthers = [];
    private readonly bool _keeps;
    private int _made;

    public SimulatedWorld(int seed)
    {
        _random = new Random(seed);
        _faults = Of(0, 0.001, 0.004, 0.01);
        _most = Of(1, 2, 3, 5);
        RingBytes = Of(2_000, 20_000, 1_000_000);
        _keeps = Environment.GetEnvironmentVariable("GROUP_STATE") != "off" || Of(true, true, false);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>What the node has sent: the text of a message; null stands for an event.</summary>
    public List<string?> Stream { get; } = [];

    public List<SimulatedMember> Members { get; } = [];

    public int RingBytes { get; }

    /// <summary>What the broker got, in its order: the indexes of the events.</summary>
    public List<int> Delivered { get; } = [];

    /// <summary>How often somebody became the holder.</summary>
    public int Terms { get; private set; }

    private List<SimulatedMember> Living => [.. Members.Where(member => member.IsAlive)];

    /// <summary>The watermark that is kept in the node, beside the stream.</summary>
    public StreamPlace Kept { get; private set; }

    public void Keep(StreamPlace settled)
    {
        if (_keeps && settled > Kept) Kept = settled;
    }

    /// <summary>What has happened, for whoever looks into a seed; null: nobody does.</summary>
    public List<string>? Story { get; init; }

    public void Tell(string text) => Story?.Add($"{Stream.Count,5} {text}");

    public void Say(string text)
    {
        Tell($"said {text}");
        Stream.Add(text);
    }

    public void NoteTerm(SimulatedMember member, long term) => Terms += member.IsAlive && term > 0 ? 1 : 0;

    public void Deliver(int number, string id)
    {
        if (_idOf.TryGetValue(number, out var known) && known != id && !IsInGap(number) && !_beforeFresh.Contains(number))
        {
            throw new InvalidOperationException($"event {number} has the ids {known} and {id}");
        }

        if (_eventOf.TryGetValue(id, out var other) && other != number)
        {
            throw new InvalidOperationException($"the events {other} and {number} both have the id {id}");
        }

        (_idOf[number], _eventOf[id]) = (id, number);
        Delivered.Add(number);
    }

    /// <param name="from">The index of the first event that may be missing.</param>
    /// <param name="to">The index behind the last one.</param>
    public void DeclareGap(int from, int to)
    {
        Tell($"gap {from} to {to}");
        if (from < to) _gaps.Add((from, to));
    }

    /// <summary>
    /// Who makes a fresh claim knows no positions before it. If somebody lives who knew them and was slow to answer, an event can come by two ids.
    /// </summary>
    public void ExcuseIds(int from, int to) => _beforeFresh.UnionWith(Enumerable.Range(from, to - from));

    /// <summary>
    /// Others have begun anew beside a holder that they knew nothing of. It still settles what it has, and nobody else has that; so it comes late.
    /// </summary>
    public void ExcuseOrder(IEnumerable<int> events) => _late.UnionWith(events);

    /// <summary>A holder has passed everything on that is before this index.</summary>
    public void NotePlace(StreamPlace place, int index) => _indexOf[place] = index;

    /// <summary>The index of the first event behind a place; 0 for the beginning, and for the place before a group's first claim: it is not known how much was heard before.</summary>
    public int IndexOf(StreamPlace place) => _indexOf.GetValueOrDefault(place);

    /// <summary>Whether another program lives that was in step. If not, and if nothing is kept, nobody can know what was missed.</summary>
    public bool IsAnotherInStep(SimulatedMember member) => Living.Any(other => other != member && Knew(other, member.Member.Claim!.Value));

    /// <summary>A fresh claim was made where nothing is kept, beside members that knew more. If these die before they say so, nobody can know.</summary>
    public void LeaveToOthers(MessageId claim, int to) => _leftToOthers.Add((claim, to));

    public void Check()
    {
        var holders = Living.Where(member => member.Member.IsDelivering && member.At == Stream.Count).ToList();
        if (holders.Count > 1)
        {
            throw new InvalidOperationException($"two holders at one place: {string.Join(' ', holders.Select(one => one.Name))}");
        }
    }

    public void Run(int steps)
    {
        for (var step = 0; step < steps; step++) Step();
    }

    /// <summary>Nobody fails any more, until somebody holds the stream and everything is settled.</summary>
    public void Calm()
    {
        if (Living.Count == 0) Add();
        foreach (var member in Living)
        {
            (member.IsFrozen, member.IsBrokerThere) = (false, true);
            if (!member.IsSubscribed) member.Subscribe();
        }

        for (var round = 0; round < 2000; round++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(50));
            foreach (var member in Living)
            {
                member.Tick();
                Repeat(500, member.ReadOne);
                for (var i = 0; i < 500 && !member.IsIdle; i++)
                {
                    member.Publish();
                    member.Confirm(_random);
                }
            }

            if (round > 200 && Living.Count(member => member.Member.IsHolder) == 1 && Living.All(member => member.IsIdle)) break;
        }

        foreach (var member in Living) Repeat(Stream.Count, member.ReadOne);
        if (Living.Count(member => member.Member.IsHolder) != 1)
        {
            throw new InvalidOperationException("nobody, or more than one, holds the stream in the end");
        }
    }

    /// <summary>Events behind the first claim that nobody has delivered, and that are in no gap.</summary>
    public IReadOnlyList<int> Lost()
    {
        var first = Stream.FindIndex(text => text?.Contains(" fresh ", StringComparison.Ordinal) == true);
        var delivered = Delivered.ToHashSet();
        return [.. Enumerable.Range(0, Stream.Count).Where(at => Stream[at] is null && at > first && !delivered.Contains(at) && !IsInGap(at) && !_unknowable.Contains(at))];
    }

    /// <summary>How often an event outside of gaps was delivered for the first time behind a later one.</summary>
    public int Inversions()
    {
        var first = Delivered.Distinct().Where(at => !IsInGap(at) && !_late.Contains(at)).ToList();
        return first.Zip(first.Skip(1)).Count(pair => pair.Second < pair.First);
    }

    public int Duplicates => Delivered.Count - Delivered.Distinct().Count();

    public int GapCount => _gaps.Count;

    /// <summary>Whether a program was in step before this fresh claim.</summary>
    private static bool Knew(SimulatedMember member, MessageId claim) =>
        (member.Member.LastKnown.WasInStep && member.Member.LastKnown.Origin != claim) || (member.Member.Reach is not null && member.Member.Claim != claim);

    private bool IsInGap(int at) => _gaps.Any(gap => gap.From <= at && at < gap.To);

    private void Add()
    {
        var member = new SimulatedMember(this, $"m{++_made}", TimeSpan.FromMilliseconds(Of(0, 0, -5000, 5000, 700)));
        Members.Add(member);
        member.Subscribe();
    }

    private void Step()
    {
        Time.Advance(TimeSpan.FromMilliseconds(Of(1, 5, 20)));
        var living = Living;
        if (living.Count == 0 || (living.Count < _most && _random.NextDouble() < 0.01))
        {
            Add();
            return;
        }

        var member = living[_random.Next(living.Count)];
        if (_random.NextDouble() < _faults)
        {
            Fail(member);
            return;
        }

        if (member.IsFrozen)
        {
            if (_random.NextDouble() < 0.03) member.IsFrozen = false;
            return;
        }

        Act(member);
    }

    private void Fail(SimulatedMember member)
    {
        switch (_random.NextDouble())
        {
            case < 0.2:
                member.IsAlive = false;
                if (member.Member.IsSettlingEarlier) _unknowable.UnionWith(member.Unsettled);
                foreach (var (_, to) in _leftToOthers.Where(left => Knew(member, left.Claim)))
                {
                    _unknowable.UnionWith(Enumerable.Range(0, to));
                }

                Tell($"{member.Name} dies");
                break;
            case < 0.45:
                member.IsFrozen = !member.IsFrozen;
                Tell($"{member.Name} frozen {member.IsFrozen}");
                break;
            case < 0.7:
                member.LoseFeed();
                Tell($"{member.Name} loses its feed");
                break;
            case < 0.9:
                member.IsBrokerThere = !member.IsBrokerThere;
                if (!member.IsBrokerThere) member.SendAgain();
                break;
            default:
                member.SendAgain();
                break;
        }
    }

    private void Act(SimulatedMember member)
    {
        switch (_random.NextDouble())
        {
            case < 0.25:
                Stream.Add(null);
                break;
            case < 0.60:
                Repeat(Of(1, 5, 30), member.ReadOne);
                break;
            case < 0.75:
                if (!member.IsSubscribed && _random.NextDouble() < 0.3) member.Subscribe();
                member.Tick();
                break;
            case < 0.88:
                Repeat(Of(1, 8, 20), member.Publish);
                break;
            default:
                Repeat(Of(1, 8, 20), () => member.Confirm(_random));
                break;
        }
    }

    private T Of<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    private static void Repeat(int times, Action action)
    {
        for (var i = 0; i < times; i++) action();
    }
}
