namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>What does a feed do about the node's flags, and how patient is it? The same for all nodes.</summary>
public sealed record NodeFeedOptions
{
    public NotifyMode NotifyMode { get; init; } = NotifyMode.Manage;

    /// <summary>The connection's name in CLIENT LIST.</summary>
    public string ClientName { get; init; } = "keyevt-feed";

    /// <summary>How often a marker is sent while events flow. It is also the clock of the other checks.</summary>
    public TimeSpan MarkerInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a marker is sent while none come; see <see cref="PollingIntervals"/>.</summary>
    public TimeSpan QuietInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>So long after the last event none flow any more.</summary>
    public TimeSpan QuietAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a single node is asked for anything while nothing is wanted of it.</summary>
    public TimeSpan IdleInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Silence of the node, with a marker on its way, after which the connection is suspected, and the node is asked over a second one. The first is given up only
    /// when the second one is answered, and subscribed, before anything comes on the first.
    /// </summary>
    public TimeSpan MarkerDeadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Once the node has answered the second connection: how long the first one has to say something itself.</summary>
    public TimeSpan SilenceGrace { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long after an unanswered second connection the next one is opened. There is one at a time.</summary>
    public TimeSpan WitnessInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Silence after which a connection is given up though the node answers no other one either.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan RoleInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often something that was refused is tried again.</summary>
    public TimeSpan RefusedInterval { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the open socket to the confirmed subscription, without the time in which the node loads its data; and for each answer during that.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a node that loads its data is asked whether it is done.</summary>
    public TimeSpan LoadingInterval { get; init; } = TimeSpan.FromMilliseconds(25);

    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The shortest wait after a refused login, or a refused subscription: it is not going to change by itself.</summary>
    public TimeSpan RefusedBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A subscription that held this long, and was lost, is made again at once. One that did not is followed by a growing pause, as an attempt that failed: a node
    /// that cuts every subscriber off at its first message is not asked in a circle.
    /// </summary>
    public TimeSpan ShortestLife { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the nodes that came before or after this one in its place are waited for, when they are asked what they have sent.</summary>
    public TimeSpan NeighbourDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Of a replica: how much of what it sends is kept, until it is known whether it is still one.</summary>
    public int KeptBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Of a master with replicas: how much of what it sent last is remembered, to know their echoes by.</summary>
    public int EchoBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Another node may take its place: a gap that it leaves as a master ends with its successor, and as a replica it has none.</summary>
    public bool HasSuccessors { get; init; }

    /// <summary>A notification larger than this is read past, counted, and declared a gap: no broker would take its key.</summary>
    public int MaxFrameBytes { get; init; } = 64 * 1024 * 1024;
}
