using KeyEvt.Forwarder.Outbox;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Forwarder.Feed;

/// <summary>What do all connections of one feed share? Made once by <see cref="NodeFeed"/>, which owns all of it.</summary>
internal sealed record FeedContext(
    NodeFeedOptions Options,
    IEventSink Sink,
    TimeProvider Time,
    ILogger Logger,
    MarkerClock Markers,
    FeedProgress Progress,
    Coverage Coverage,
    FlagProof Flags,
    FeedRemedies Remedies,
    FeedBoard Board)
{
    /// <summary>The node's address, without secrets.</summary>
    public string Node { get; } = Options.Address.ToString();
}
