namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>What does a feed do about the node's flags, and what are its intervals and limits? The same for all nodes.</summary>
public sealed record NodeFeedOptions
{
    public NotifyMode NotifyMode { get; init; } = NotifyMode.Manage;

    /// <summary>Draws names that no other feed has, and shortens pauses so that many programs do not return at the same moment.</summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>The connection's name in CLIENT LIST.</summary>
    public string ClientName { get; init; } = "keyevt-feed";

    /// <summary>The interval of the beat, and how often the flags are checked while events flow.</summary>
    public TimeSpan MarkerInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the flags are checked while none come; see <see cref="PollingIntervals"/>.</summary>
    public TimeSpan QuietInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long after the last event the feed counts as quiet.</summary>
    public TimeSpan QuietAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a single node is asked for its role while nothing is wanted of it.</summary>
    public TimeSpan IdleInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long the node may be silent, with an answer due, before the connection is suspected and the node is asked over a second one. The first is
    /// given up only when the second one is answered and subscribed before anything comes on the first.
    /// </summary>
    public TimeSpan MarkerDeadline { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>After the node has answered the second connection: how long the first one has to say something itself.</summary>
    public TimeSpan SilenceGrace { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long after an unanswered second connection the next one is opened. There is one at a time.</summary>
    public TimeSpan WitnessInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a connection may be silent until it is given up, even if the node answers no other one either.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan RoleInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often something that was refused is tried again.</summary>
    public TimeSpan RefusedInterval { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Limit from the open socket to the confirmed subscription, without the time in which the node loads its data. Also the limit for each answer
    /// meanwhile.
    /// </summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a node that loads its data is asked whether it is done.</summary>
    public TimeSpan LoadingInterval { get; init; } = TimeSpan.FromMilliseconds(25);

    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan LongestBackoff { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The shortest pause after a refused login or subscription, which will not change by itself.</summary>
    public TimeSpan RefusedBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// If a subscription that held for this long is lost, the feed connects again at once. A shorter one is followed by a growing pause, like a
    /// failed attempt. Otherwise a node that disconnects every subscriber at its first message would be asked in an endless loop.
    /// </summary>
    public TimeSpan ShortestLife { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long to wait for the old or new master of a node, when it is asked what it has sent.</summary>
    public TimeSpan NeighbourDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For a replica: how many bytes of its notifications are kept until it is known whether it is still a replica.</summary>
    public int KeptBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>For a master with replicas: how many bytes of its last notifications are remembered, to recognise the echoes of its replicas.</summary>
    public int EchoBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// Whether another node may succeed this one. A gap that it leaves as a master then ends with its successor, and as a replica it has no gaps.
    /// </summary>
    public bool HasSuccessors { get; init; }

    /// <summary>
    /// Whether this program goes on as the only member of its group where it may not speak to others. It may, if nobody has named the group: nobody then relies on there being others.
    /// </summary>
    public bool MayBeAlone { get; init; }

    /// <summary>How many members of the group hear the events of a node.</summary>
    public int GroupSeats { get; init; } = 3;

    /// <summary>How many bytes of events behind the watermark this program keeps, for each feed.</summary>
    public int GroupBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>A notification larger than this is skipped, counted, and declared as a gap: no broker would accept its key.</summary>
    public int MaxFrameBytes { get; init; } = 64 * 1024 * 1024;
}
