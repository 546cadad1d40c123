using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Filter;
using KeyEvt.Forwarder.Topology;
using KeyEvt.Simulation.Redis;

namespace KeyEvt.Simulation.Worlds;

/// <summary>How large is a world, and how rough? All of it is drawn from the seed.</summary>
internal sealed record WorldShape
{
    public const string Group = "g";

    private static readonly KeyMaskSet Wanted = KeyMaskSet.Empty.Add([KeyMask.Parse("t:*"u8)]);

    public int Members { get; init; } = 1;

    /// <summary>Whether people give commands meanwhile, each to any of the programs.</summary>
    public bool HasAdministrator { get; init; }

    /// <summary>Whether the configuration is kept in Redis.</summary>
    public bool KeepsConfig { get; init; }

    /// <summary>Whether there is a replica, and Sentinels that promote it.</summary>
    public bool HasSentinel { get; init; }

    /// <summary>For how long things go wrong.</summary>
    public TimeSpan Chaos { get; init; }

    /// <summary>The mean pause between two faults.</summary>
    public TimeSpan FaultEvery { get; init; }

    /// <summary>The mean pause between two bursts of writes.</summary>
    public TimeSpan WriteEvery { get; init; }

    public NodePersistence Persistence { get; init; }

    public bool AnswersFirst { get; init; }

    public long OutputLimit { get; init; }

    public string ConfiguredFlags { get; init; } = "";

    public int RingBytes { get; init; }

    /// <summary>How wrong the wall clocks of the programs are at most.</summary>
    public TimeSpan LargestWallError { get; init; }

    public static WorldShape Draw(Random random)
    {
        var members = Of(random, 0, 0, 2, 3, 3, 5);
        var kind = random.Next(4);
        var hasAdministrator = members < 5 && kind == 0;
        return new WorldShape
        {
            Members = Math.Max(1, members),
            HasAdministrator = hasAdministrator,
            HasSentinel = members == 0 ? kind > 1 : members < 5 && kind == 3,
            Chaos = TimeSpan.FromSeconds(random.Next(4, 18)),
            FaultEvery = TimeSpan.FromMilliseconds(Of(random, 300, 800, 2000, 5000)),
            WriteEvery = TimeSpan.FromMilliseconds(Of(random, 20, 60, 200, 600)),
            // What a group has kept must outlive the node: see docs/contributing/simulation.md, "What it leaves out".
            Persistence = Of(random, members == 0 ? NodePersistence.None : NodePersistence.All, NodePersistence.AllButTheLastSecond, NodePersistence.All),
            AnswersFirst = random.Next(2) == 0,
            OutputLimit = Of(random, 4_000, 1_000_000),
            ConfiguredFlags = Of(random, "", "AKE", "gE"),
            RingBytes = Of(random, 2_000, 1_000_000),
            KeepsConfig = hasAdministrator && random.Next(2) == 0,
        };
    }

    public TimeSpan WallError(string member) => LargestWallError * (member.Length % 2 == 0 ? 1 : -1);

    /// <param name="random">That of this life of the program.</param>
    public ForwarderOptions OptionsOf(string member, Random random) => new()
    {
        Upstream = UpstreamAddress.Parse(HasSentinel ? "redis+sentinel://s1:26379/main" : "redis://n1:6379"),
        Feed = new NodeFeedOptions { Random = random, GroupBytes = RingBytes },
        Instance = member,
        Group = Group,
        KeepState = true,
        KeepConfig = KeepsConfig,
        GroupSecret = HasAdministrator ? "secret" : null,
        PublishGaps = true,
        Delivery = new DeliveryOptions { Random = random },
        Initial = new ForwarderConfig { Masks = Wanted, Events = EventClass.String | EventClass.Expired, Amqp = new AmqpSettings { Host = "b1" } },
    };

    private static T Of<T>(Random random, params ReadOnlySpan<T> choices) => choices[random.Next(choices.Length)];
}
