using System.Security.Cryptography;
using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tls;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>What do all connections of one feed share? Created once by <see cref="NodeFeed"/>, which owns all of it.</summary>
internal sealed record FeedContext(
    RedisAddress Address,
    NodeFeedOptions Options,
    IEventSink Sink,
    TimeProvider Time,
    ILogger Logger,
    MarkerSequence Markers,
    FeedProgress Progress,
    FeedCoverage Coverage,
    FlagsLastSeen Flags,
    FeedRemedies Remedies,
    ObservableStatus Board,
    ReplicaBuffer Hold)
{
    private const string NoRunId = "0000000000000000";

    private volatile NotificationRing? _echo;
    private volatile Mastership? _mastership;

    /// <summary>
    /// The lock for everything that the connections of the feed share. A read loop holds it while it handles a read, and so does every other thread
    /// that changes shared state. While a silent connection is still being read, another one is prepared beside it. Under this lock one replaces the
    /// other.
    /// </summary>
    public Lock Turn { get; } = new();

    /// <summary>Tasks that run beside the loops of the connections, and outlive them.</summary>
    public required SideTasks Tasks { get; init; }

    /// <summary>The files of the node's TLS, for texts that name the options.</summary>
    public TlsFileNames TlsFileNames { get; init; } = new("--upstream");

    /// <summary>Limits the warnings about messages that are published on notification channels but are no notifications.</summary>
    public LogRateLimiter RefusedWarnings { get; } = new(Time, TimeSpan.FromMinutes(1));

    /// <summary>
    /// What a master sent last, for its successors; null while no other node could succeed it. Set once by the loop of FeedSet, and read by the read
    /// loops.
    /// </summary>
    public NotificationRing? Echo { get => _echo; set => _echo = value; }

    /// <summary>Until when the node was heard as a master; null: it never was. Written by the read loops; read by any thread.</summary>
    public Mastership? Mastership { get => _mastership; set => _mastership = value; }

    /// <summary>
    /// Called when the node is a master and nothing is known of what it sent before. Returns until when the master was heard that it has replaced; null: there was none, or the loss
    /// of that one is a gap already. May be called under <see cref="Turn"/>.
    /// </summary>
    public Func<(ClockReading At, EventPosition Last)?>? HeardBefore { get; set; }

    /// <summary>Called when the node is promoted. Returns what its old master sent last; null if that is not known.</summary>
    public Func<Task<IReadOnlyList<RecordedNotification>?>>? Predecessor { get; set; }

    /// <summary>Called when the node has been demoted. Returns what its successor has sent since it is master; null if that is not known.</summary>
    public Func<Task<IReadOnlyList<RecordedNotification>?>>? Successor { get; set; }

    /// <summary>Called when the node is promoted. Returns what its old master has left, if that one is no longer a master. Not under any feed's lock.</summary>
    public Func<IReadOnlyList<Estate>>? PredecessorsEstate { get; set; }

    /// <summary>Called when the node is promoted. Returns what its old master sent last, and is still judged. Not under any feed's lock.</summary>
    public Func<IReadOnlyList<RecordedNotification>>? PredecessorsDoubtful { get; set; }

    /// <summary>Under <see cref="Turn"/>.</summary>
    public EventAliases Aliases { get; } = new();

    /// <summary>Called when the node has been demoted. Gives what it leaves to its successor. Not under any feed's lock.</summary>
    public Action? LeaveEstate { get; set; }

    /// <summary>For a master of a cluster: which slots it is known to serve.</summary>
    public SlotsServed Slots { get; } = new(Time);

    /// <summary>Called if the node is part of a cluster. Returns a hash tag for the key of the state, whose slot the node may serve; null if it serves none.</summary>
    public Func<string?>? StateTag { get; set; }

    /// <summary>Whether <see cref="StateTag"/> cannot be known yet.</summary>
    public Func<bool> AreSlotsAwaited { get; set; } = static () => false;

    /// <summary>Where the state of the node's stream is stored for the next run of the program; null if it is not stored.</summary>
    public CheckpointRegistry? Shelf { get; set; }

    /// <summary>The group that shares the stream of this node.</summary>
    public required StreamGroup Group { get; init; }

    /// <summary>Whether the node was not yet there when this run of the program began.</summary>
    public bool CameLater { get; set; }

    /// <summary>
    /// The part of the node's run id that positions contain. If it is not known: the same for all members of the group, and another one for each node that
    /// there may be.
    /// </summary>
    public ulong RunNumberOf(NodeIdentity identity) => identity.RunNumber(Options.HasSuccessors ? DigitsOf(Node) : NoRunId);

    /// <summary>The node's address, without secrets.</summary>
    public string Node { get; } = Address.ToString();

    private static string DigitsOf(string node) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(node)));
}
