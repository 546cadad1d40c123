using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tls;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed.Context;

/// <summary>What do all connections of one feed share? Made once by <see cref="NodeFeed"/>, which owns all of it.</summary>
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
    /// <summary>
    /// Held by whoever changes what the connections of the feed share: a read loop while it handles a read, and all that is not done on one. While a silent
    /// connection is read on, another one is made ready beside it; under this lock one takes the other's place.
    /// </summary>
    public Lock Turn { get; } = new();

    /// <summary>What runs beside the loops of the connections, and outlives them.</summary>
    public required SideTasks Tasks { get; init; }

    /// <summary>For texts about TLS: which options name its files.</summary>
    public TlsFiles TlsFiles { get; init; } = new("--upstream");

    /// <summary>Somebody publishes what is no notification: said now and then.</summary>
    public LogRateLimiter RefusedWarnings { get; } = new(Time, TimeSpan.FromMinutes(1));

    /// <summary>What a master sent last, for those who take its place; null while nobody could.</summary>
    public NotificationRing? Echo { get; set; }

    /// <summary>Asked when the node is promoted: what did its old master send last? Null: not known.</summary>
    public Func<Task<IReadOnlyList<RecordedNotification>?>>? Predecessor { get; set; }

    /// <summary>Asked when the node has been demoted: what has its successor sent since it is one? Null: not known.</summary>
    public Func<Task<IReadOnlyList<RecordedNotification>?>>? Successor { get; set; }

    /// <summary>Of a master of a cluster: which slots it is known to serve.</summary>
    public SlotsServed Slots { get; } = new(Time);

    /// <summary>Asked where the node is one of a cluster: a tag whose slot it may serve; null: it serves none. Not set: markers go to all nodes.</summary>
    public Func<string?>? MarkerTag { get; set; }

    /// <summary>Where the state of the node's stream is kept for the next life of the program; null: nowhere.</summary>
    public CheckpointRegistry? Shelf { get; set; }

    /// <summary>What an earlier life kept of this node is known, so that another key, after its slots have moved, is no news.</summary>
    public bool KnowsEarlierLife { get; set; }

    /// <summary>The node was not there yet when this life of the program began.</summary>
    public bool CameLater { get; set; }

    /// <summary>The node's address, without secrets.</summary>
    public string Node { get; } = Address.ToString();
}
