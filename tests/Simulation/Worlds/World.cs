using System.Globalization;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Outbox;
using KeyEvt.Simulation.Broker;
using KeyEvt.Simulation.Clock;
using KeyEvt.Simulation.Judging;
using KeyEvt.Simulation.Net;
using KeyEvt.Simulation.Redis;

namespace KeyEvt.Simulation.Worlds;

/// <summary>Everything that there is of one seed: servers, programs, the network between them, and the book that judges.</summary>
internal sealed class World
{
    private readonly List<Member?> _members = [];
    private readonly List<int> _lives = [];
    private readonly Dictionary<string, long> _connectedAt = [];
    private readonly List<Member> _dead = [];
    private readonly Dictionary<VirtualNode, OfficeWatch> _watches;
    private string? _fault;
    private int _made;
    private int _sent;

    private ulong _hash = 14695981039346656037;

    public World(int seed, bool keepsStory)
    {
        (Seed, KeepsStory, Random, Promise) = (seed, keepsStory, new Random(seed), new Promise(this));
        Shape = WorldShape.Draw(Random);
        Network = new VirtualNetwork(Time, Random);
        Book = new EventBook(Shape.LargestWallError) { HasSuccessors = Shape.HasSentinel };
        Nodes = Shape.HasSentinel ? [NewNode("n1"), NewNode("n2")] : [NewNode("n1")];
        _watches = Shape.Members > 1 ? Nodes.ToDictionary(static node => node, _ => new OfficeWatch(WorldShape.Group) { Anew = Promise.BeginsAnew }) : [];
        Sentinel = Shape.HasSentinel ? new VirtualSentinel("s1", "main", Nodes) : null;
        if (Shape.HasSentinel) Follow(Nodes[1], Nodes[0]);
        Master = Written = Nodes[0];
        Brokers = Shape.HasAdministrator ? [NewBroker(), NewBroker()] : [NewBroker()];
        Stopped = Shape.HasAdministrator && (Shape.Members > 1 || Shape.KeepsConfig) ? new StoppedSpan(this) : null;
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

    public Promise Promise { get; }

    /// <summary>Whether a configuration has what the last command was told that it is in force; null: it is not known which command was the last, or it may have been forgotten.</summary>
    public Func<ForwarderConfig, bool>? Told { get; set; }

    /// <summary>Null: there is one program, which forgets at its end what commands have changed. It counts what it does not send.</summary>
    public StoppedSpan? Stopped { get; }

    /// <summary>Who is the holder of the master's stream? Null: there is one program only.</summary>
    public OfficeWatch? Watch => _watches.GetValueOrDefault(Master);

    /// <summary>How many times in office there have been.</summary>
    public int Offices => _watches.Values.Sum(static watch => watch.Count);

    public VirtualSentinel? Sentinel { get; }

    /// <summary>The node that was promoted last. The Sentinels name it a moment later.</summary>
    public VirtualNode Master { get; private set; }

    /// <summary>The node that clients write to. They hear of a new master a moment after its promotion, and until then the old one takes their writes.</summary>
    public VirtualNode Written { get; private set; }

    public IReadOnlyList<VirtualNode> Nodes { get; }

    public IReadOnlyList<VirtualBroker> Brokers { get; }

    /// <summary>The programs by their place; null: none runs there.</summary>
    public IReadOnlyList<Member?> Members => _members;

    public IEnumerable<Member> Living => _members.OfType<Member>();

    /// <summary>A number that two runs of the same story share, and no others.</summary>
    public ulong Hash => _hash;

    public VirtualNode? NodeAt(string host) => Nodes.FirstOrDefault(node => node.Name == host);

    public VirtualBroker? BrokerAt(string host) => host == "b1" ? Brokers[0] : Brokers.ElementAtOrDefault(1);

    public IVirtualServer? ServerAt(string host) => host == Sentinel?.Name ? Sentinel : NodeAt(host);

    public void Start(int place)
    {
        if (_members[place] is not null) return;

        var name = string.Create(CultureInfo.InvariantCulture, $"m{place + 1}");
        Tell($"{name} starts");
        _members[place] = new Member(this, name, ++_lives[place]);
    }

    /// <summary>A node becomes the replica of another one, with its data.</summary>
    public void Follow(VirtualNode replica, VirtualNode master)
    {
        replica.Follow(master);
        master.Replicas.Add((replica, Network.Up("n", replica.Name)));
    }

    /// <summary>A program has opened a link to this broker.</summary>
    public void Connected(string host) => _connectedAt[host] = Time.Now;

    /// <summary>When one did so last; before everything if none ever did.</summary>
    public long ConnectedAt(string host) => _connectedAt.GetValueOrDefault(host, -1);

    /// <summary>A promise is broken.</summary>
    public void Fail(string text) => _fault ??= text;

    public void Kill(int place)
    {
        if (_members[place] is not { } member) return;

        Tell($"{member.Name} is killed");
        _members[place] = null;
        _dead.Add(member);
        if (!Shape.KeepsConfig) Told = null;
        member.Kill();
        Promise.EndUnlessKept($"{member.Name} was killed before anything was kept");
    }

    /// <summary>A program has ended by itself.</summary>
    public void Ended(Member member)
    {
        _members[_members.IndexOf(member)] = null;
        _dead.Add(member);
        if (!Shape.KeepsConfig) Told = null;
        member.Kill();
        Promise.EndUnlessKept($"{member.Name} has ended, and nothing is kept");
    }

    /// <summary>A client writes a key that is wanted.</summary>
    public void Write(VirtualNode node)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"t:{++_made}");
        var isExpiry = Random.Next(4) == 0;
        node.Handle(() =>
        {
            if (!Takes(node)) return;

            var write = Book.Add(key, node.Name, Time.Now);
            Tell($"{key} at {node.Name}");
            if (!Promise.IsGiven)
            {
                write.Excuse = "nobody has listened yet";
            }
            else if (node != Master && Sentinel!.Master == Master)
            {
                write.Excuse = "Redis throws away what a node takes after it was replaced";
            }

            node.Write(key, isExpiry ? "expired" : "set", isExpiry ? 'x' : '$');
        });
    }

    /// <summary>A client deletes a key whose events only administrators want.</summary>
    /// <param name="isWanted">Whether they want it now; null: nobody knows, as commands are under way.</param>
    public void Delete(VirtualNode node, bool? isWanted)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"u:{++_made}");
        node.Handle(() =>
        {
            if (!Takes(node)) return;

            Book.Add(key, node.Name, Time.Now, isOptional: true, isWanted);
            Tell($"{key} at {node.Name}");
            node.Write(key, "del", 'g');
        });
    }

    /// <summary>How many events programs have counted as given up, because they were told to.</summary>
    public long Refused => _dead.Concat(Living).Sum(static member => member.Dropped(DropReason.Disconnected));

    /// <summary>The replica takes the master's place.</summary>
    public void Promote(VirtualNode next)
    {
        var old = Master;
        Tell($"{next.Name} is promoted in place of {old.Name}");
        old.Replicas.Clear();
        next.Follow(null);
        LoseData(next, old.Data);
        Master = next;
        Promise.Replaced(old);
        Time.After(TimeSpan.FromMilliseconds(Random.Next(300)), FollowMaster);
        Time.After(TimeSpan.FromMilliseconds(Random.Next(300)), () => Sentinel!.Decide(Master));
        Time.After(TimeSpan.FromMilliseconds(300 + Random.Next(200)), Sentinel!.Announce);
    }

    /// <summary>Clients hear which node is the master.</summary>
    public void FollowMaster() => Written = Master;

    /// <summary>The old master becomes a replica of the new one.</summary>
    public void Demote(VirtualNode old)
    {
        if (old == Master || old.Master is not null || !old.IsUp) return;

        Tell($"{old.Name} is demoted");
        var lost = old.Data;
        Follow(old, Master);
        if (!ReferenceEquals(lost, old.Data)) LoseData(old, lost); // what it took since it was replaced is gone: no other node has it
    }

    /// <summary>Whether the node takes a write now.</summary>
    private static bool Takes(VirtualNode node) => node is { Master: null, IsLoading: false, Mood: NodeMood.Well };

    /// <summary>A program has declared a gap. That of a holder is published; that of another member, and of one that may be disconnected, stands in its log and its info only.</summary>
    public void Declared(Member member, Gap gap)
    {
        if (!IsHolder(member.Name) || Shape.HasAdministrator) Book.Declared(gap);
    }

    /// <summary>A program has ended, and could not place what it had. If that were messages of gaps, the gaps stand in its log.</summary>
    public void LeftBehind(Member member)
    {
        foreach (var gap in member.Engine.Gaps.Recent) Book.Declared(gap);
    }

    /// <summary>Whether a program has nothing more to do. Who is no holder keeps the messages of its own gaps until it is one.</summary>
    public bool IsSettled(Member member) => !IsHolder(member.Name) || member.IsSettled;

    /// <summary>The gaps of the programs that are no holders.</summary>
    public void NoteStanding()
    {
        Stopped?.Note();
        Book.Standing = [.. Living.Where(member => !IsHolder(member.Name)).SelectMany(static member => member.Engine.Gaps.Recent).Where(static gap => !gap.IsOpen).Select(gap => DeclaredGap.Of(gap, Shape.LargestWallError))];
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
        if (KeepsStory)
        {
            Story.Add(string.Create(CultureInfo.InvariantCulture, $"{TimeSpan.FromTicks(Time.Now).TotalMilliseconds,10:0.000} {text}"));
        }
    }

    private VirtualBroker NewBroker() => new(Time, Random, Consume, Book.Refused);

    private VirtualNode NewNode(string name)
    {
        var node = new VirtualNode(name, Time, Random)
        {
            Persistence = Shape.Persistence,
            AnswersFirst = Shape.AnswersFirst,
            OutputLimit = Shape.OutputLimit,
            ConfiguredFlags = Shape.ConfiguredFlags,
            Tell = Tell,
            Subscribed = Promise.Subscribed,
        };
        node.Lost = lost => LoseData(node, lost);
        node.Begin();
        node.Published = text =>
        {
            if (!_watches.TryGetValue(node, out var watch)) return;

            var offices = watch.Count;
            watch.Heard(node, text, Book.CountOf(name));
            var lives = Living.Any(member => watch.Holder?.StartsWith(member.Name + "-", StringComparison.Ordinal) == true); // a claim may come after its member has died
            if (node == Master && watch.Count > offices && lives) Promise.Begin();
        };
        return node;
    }

    private bool IsHolder(string member) => Watch is null || Watch.Holder?.StartsWith(member + "-", StringComparison.Ordinal) == true;

    /// <summary>Who ends while its list cannot be read sends what it has in memory, before the older ones in the list.</summary>
    private bool EndsWithoutList(string name) => Living.Any(member => member.Name == name && member.IsEnding) && Nodes.Any(static node => !node.IsUp);

    private void Consume(BrokerMessage message)
    {
        if (Misses > 0 && ++_sent % Misses == 0) return;

        Tell($"received {message.Id} {message.Body} from {message.From}");
        var fault = Book.Take(message, IsHolder(message.From), EndsWithoutList(message.From), out var write);
        _fault ??= fault;
        if (write is not null && !Shape.HasSentinel && Watch?.MayPublish(message.From, write) == false)
        {
            _fault ??= $"{message.From} has published {write.Key} at {write.Index} although another member was the holder there";
        }
    }

    /// <summary>What was in the lists is gone with the memory of the node.</summary>
    private void LoseData(VirtualNode node, NodeData lost)
    {
        Tell($"{node.Name} has lost data");
        Told = null;
        var gone = lost.Lists.Values.SelectMany(static list => list).Select(static entry => ListSteps.BodyOf(entry).Split('\n')[^1]).ToHashSet();
        foreach (var entry in node.Data.Lists.Values.SelectMany(static list => list)) gone.Remove(ListSteps.BodyOf(entry).Split('\n')[^1]);
        foreach (var entry in lost.Lists.Values.SelectMany(static list => list))
        {
            Book.TakeLostGap(ListSteps.IdOf(entry), ListSteps.BodyOf(entry));
        }

        Promise.EndUnlessKept("the node has lost what it knew, and nobody else knew it");
        Book.Excuse("it was in the list that the node has lost", write => gone.Contains(write.Key));
    }
}
