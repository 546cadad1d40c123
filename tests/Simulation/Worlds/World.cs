using System.Globalization;
using KeyEvt.Forwarder.Events;
using KeyEvt.Simulation.Broker;
using KeyEvt.Simulation.Clock;
using KeyEvt.Simulation.Judging;
using KeyEvt.Simulation.Members;
using KeyEvt.Simulation.Net;
using KeyEvt.Simulation.Redis;

namespace KeyEvt.Simulation.Worlds;

/// <summary>Everything that there is of one seed: servers, programs, the network between them, and the book that judges.</summary>
internal sealed class World
{
    private readonly List<Member?> _members = [];
    private readonly List<int> _lives = [];
    private readonly Dictionary<string, long> _subscribedAt = [];
    private long _leftToOthers;
    private readonly List<Member> _dead = [];
    private string? _fault;
    private int _made;
    private int _sent;

    /// <summary>Whether somebody has listened: of a group, whether it has had a holder.</summary>
    private bool _isPromised;

    private ulong _hash = 14695981039346656037;

    public World(int seed, bool keepsStory)
    {
        (Seed, KeepsStory, Random) = (seed, keepsStory, new Random(seed));
        Shape = WorldShape.Draw(Random);
        Network = new VirtualNetwork(Time, Random);
        Book = new EventBook(Shape.LargestWallError);
        Watch = Shape.Group is { } group ? new OfficeWatch(group) { Anew = BeginsAnew } : null;
        Nodes = [NewNode("n1")];
        Brokers = [new VirtualBroker(Time, Random, Consume, Book.Refused)];
        Tell($"seed {seed}: {Shape}");
        for (var i = 0; i < Shape.Members; i++)
        {
            _members.Add(null);
            _lives.Add(0);
            Start(i);
        }
    }

    public int Seed { get; }

    public bool KeepsStory { get; }

    /// <summary>The consumer does not get each message of so many; 0: it gets all.</summary>
    public int Misses { get; init; }

    public List<string> Story { get; } = [];

    public Random Random { get; }

    public WorldShape Shape { get; }

    public VirtualTime Time { get; } = new();

    public VirtualNetwork Network { get; }

    public EventBook Book { get; }

    public OfficeWatch? Watch { get; }

    public IReadOnlyList<VirtualNode> Nodes { get; }

    public IReadOnlyList<VirtualBroker> Brokers { get; }

    /// <summary>The programs by their place; null: none runs there.</summary>
    public IReadOnlyList<Member?> Members => _members;

    public IEnumerable<Member> Living => _members.OfType<Member>();

    /// <summary>A number that two runs of the same story share, and no others.</summary>
    public ulong Hash => _hash;

    public VirtualNode? NodeAt(string host) => Nodes.FirstOrDefault(node => node.Name == host);

    public VirtualBroker? BrokerAt(string host) => host == "b1" ? Brokers[0] : null;

    public void Start(int place)
    {
        if (_members[place] is not null) return;

        var name = string.Create(CultureInfo.InvariantCulture, $"m{place + 1}");
        Tell($"{name} starts");
        _members[place] = new Member(this, name, ++_lives[place]);
    }

    public void Kill(int place)
    {
        if (_members[place] is not { } member) return;

        Tell($"{member.Name} is killed");
        _members[place] = null;
        _dead.Add(member);
        member.Kill();
        ExcuseUnlessKept($"{member.Name} was killed before anything was kept");
    }

    /// <summary>A program has ended by itself.</summary>
    public void Ended(Member member)
    {
        _members[_members.IndexOf(member)] = null;
        _dead.Add(member);
        member.Kill();
        ExcuseUnlessKept($"{member.Name} has ended, and nothing is kept");
    }

    /// <summary>A client writes a key that is wanted.</summary>
    public void Write(VirtualNode node)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"t:{++_made}");
        var isExpiry = Random.Next(4) == 0;
        node.Handle(() =>
        {
            var write = Book.Add(key, node.Name, Time.Now);
            Tell($"{key} at {node.Name}");
            if (!_isPromised) write.Excuse = "nobody has listened yet";
            node.Write(key, isExpiry ? "expired" : "set", isExpiry ? 'x' : '$');
        });
    }

    /// <summary>A program has declared a gap. That of a holder is published; that of another member stands in its log and its info only.</summary>
    public void Declared(Member member, Gap gap)
    {
        if (!IsHolder(member.Name)) Book.Declared(gap);
    }

    /// <summary>What must hold after every step.</summary>
    /// <exception cref="SimulationFault">It does not.</exception>
    public void Check()
    {
        if (_fault is { } fault) throw new SimulationFault(fault);

        foreach (var member in _members)
        {
            if (member?.Fault() is { } wrong) throw new SimulationFault(wrong);
        }
    }

    public void Tell(string text)
    {
        foreach (var letter in text) _hash = (_hash ^ letter) * 1099511628211;
        _hash = (_hash ^ (ulong)Time.Now) * 1099511628211;
        TellOnly(text);
    }

    /// <summary>Tells it to people, but it does not belong to what must be equal in two runs.</summary>
    public void TellOnly(string text)
    {
        if (KeepsStory) Story.Add(string.Create(CultureInfo.InvariantCulture, $"{TimeSpan.FromTicks(Time.Now).TotalMilliseconds,10:0.000} {text}"));
    }

    private VirtualNode NewNode(string name)
    {
        var node = new VirtualNode(name, Time, Random)
        {
            Persistence = Shape.Persistence,
            AnswersFirst = Shape.AnswersFirst,
            OutputLimit = Shape.OutputLimit,
            ConfiguredFlags = Shape.ConfiguredFlags,
            Tell = Tell,
            Subscribed = Subscribed,
        };
        node.Lost = lost => LoseData(node, lost);
        node.Begin();
        node.Published = text =>
        {
            Watch?.Heard(node, text, Book.CountOf(name));
            _isPromised |= Watch is { Holder: not null };
        };
        return node;
    }

    private void BeginsAnew(string claimant, bool hasKept)
    {
        var since = _subscribedAt.GetValueOrDefault(claimant[..claimant.LastIndexOf('-')]);
        Book.BeginsAnew(since);
        if (!hasKept) _leftToOthers = since; // whoever knew more says so, if it lives on
    }

    private void Subscribed(string name)
    {
        _isPromised |= Watch is null;
        _subscribedAt[name] = Time.Now;
        foreach (var member in Living.Where(member => member.Name == name)) member.KnowsSince ??= Time.Now;
    }

    private bool IsHolder(string member) => Watch is null || Watch.Holder?.StartsWith(member + "-", StringComparison.Ordinal) == true;

    private void Consume(BrokerMessage message)
    {
        if (Misses > 0 && ++_sent % Misses == 0) return;

        Tell($"received {message.Id} {message.Body} from {message.From}");
        var fault = Book.Take(message, IsHolder(message.From), out var write);
        _fault ??= fault;
        if (write is not null && Watch?.MayPublish(message.From, write) == false) _fault ??= $"{message.From} has published {write.Key} at {write.Index} although another member was the holder there";
    }

    /// <summary>What was in the lists is gone with the memory of the node.</summary>
    private void LoseData(VirtualNode node, NodeData lost)
    {
        Tell($"{node.Name} has lost data");
        var gone = lost.Lists.Values.SelectMany(static list => list).Select(static entry => ListSteps.BodyOf(entry).Split('\n')[^1]).ToHashSet();
        foreach (var entry in node.Data.Lists.Values.SelectMany(static list => list)) gone.Remove(ListSteps.BodyOf(entry).Split('\n')[^1]);
        foreach (var entry in lost.Lists.Values.SelectMany(static list => list)) Book.TakeLostGap(ListSteps.IdOf(entry), ListSteps.BodyOf(entry));
        ExcuseUnlessKept("the node has lost what it knew, and nobody else knew it");
        Book.Excuse("it was in the list that the node has lost", write => gone.Contains(write.Key));
    }

    /// <summary>Who was told nothing by an earlier life cannot know what is missing.</summary>
    private void ExcuseUnlessKept(string why)
    {
        Book.Excuse("who knew of it has died before it could say so, and nothing was kept", write => write.At < _leftToOthers);
        if (Nodes.Any(static node => node.Data.Strings.Keys.Any(static key => key.Contains("-state", StringComparison.Ordinal)))) return;

        // What members of a group have heard and not kept, they may all have handed to one that has died.
        var since = Living.Min(static member => member.KnowsSince) ?? long.MaxValue;
        Book.Excuse(why, write => Watch is not null || write.At < since);
        _isPromised &= since < long.MaxValue;
    }
}
