using KeyEvt.Forwarder.Fallback;
using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Feed;

/// <summary>What does a frame from the node mean: an event, a marker, or an answer? The feed's hot path: nothing is allocated for an event.</summary>
internal sealed class FeedStream(FeedContext feed, FeedCommands commands, FeedSubscriptions subscriptions, RoleKeeper roles, MarkerSender markers, EventOutlet outlet, StateKeeper state) : IFrameSink
{
    private const int MaxReplyBytes = 1024 * 1024;

    private readonly IEventSink _sink = feed.Sink;
    private readonly FeedProgress _progress = feed.Progress;
    private readonly HoldBack _hold = feed.Hold;
    private readonly bool _needsConfirming = feed.Options.HasSuccessors;
    private long _readAt;
    private bool _hasEvents;

    /// <summary>Its connection is the one that counts: from the confirmation of its subscription on. Before that, answers only. Under <see cref="FeedContext.Turn"/>.</summary>
    public bool Counts { get; set; }

    public void Frame(ReadOnlySpan<byte> frame)
    {
        if (NotificationParser.TryParse(frame, out var notification))
            Notified(notification);
        else if (markers.Channel is { } channel && frame.StartsWith(channel.Head))
            MarkerSeen(frame[channel.Head.Length..], channel);
        else
            Answered(frame);
    }

    public void Oversized(long bytes)
    {
        if (!Counts)
            return;

        var last = _progress.Position;
        _progress.PassOversized();
        FeedLog.Oversized(feed.Logger, feed.Node, bytes, _progress.Oversized);
        feed.Coverage.Missed(GapCause.Oversized, $"a notification of {bytes} bytes was not read", Moment.Now(feed.Time), last, _progress.Position);
    }

    public void EndOfRead()
    {
        _progress.Publish();
        if (_hasEvents)
        {
            _hasEvents = false;
            if (_needsConfirming)
                roles.AskToConfirm();
            else
                _sink.EndOfBatch();
        }
    }

    /// <summary>Two overlapping patterns bring an event twice: only what the patterns in force bring counts.</summary>
    private void Notified(in Notification notification)
    {
        if (!Counts || !subscriptions.IsInForce(notification.Pattern))
            return;

        var position = _progress.Receive();
        if (!state.HasMoved)
            state.HasMoved = !FallbackKey.Is(notification.Key);
        if (_hold.IsHeld)
        {
            _progress.HoldBack();
            _hold.Keep(position, notification, feed.Time.GetUtcNow().ToUnixTimeMilliseconds());
            return;
        }

        if (!_hasEvents)
        {
            _hasEvents = true;
            _readAt = feed.Time.GetUtcNow().ToUnixTimeMilliseconds();
        }

        if (_needsConfirming)
        {
            outlet.Add(position, notification, _readAt);
            return;
        }

        _sink.Received(position, notification.Database, EventClasses.Of(notification.Event), notification.Event, notification.Key, _readAt);
    }

    /// <param name="rest">Of the push: length CRLF payload CRLF.</param>
    private void MarkerSeen(ReadOnlySpan<byte> rest, MarkerChannel channel)
    {
        if (!Counts)
            return;

        var payload = rest[(rest.IndexOf((byte)'\n') + 1)..^2];
        if (!feed.Markers.TrySee(payload, out long number, out var sentAt))
        {
            if (!channel.IsShard)
                _hold.KeepMarker(payload); // another feed's: its place tells how far the echoes of a master go
            return;
        }

        if (_needsConfirming && !channel.IsShard && !_hold.IsHeld)
            outlet.AddMarker(payload);
        _progress.Mark(number);
        feed.Coverage.Prove(sentAt);
        state.Proven(sentAt);
    }

    private void Answered(ReadOnlySpan<byte> frame)
    {
        bool isPush = frame[0] == '>';
        if (frame.Length > MaxReplyBytes)
        {
            if (isPush)
                return; // somebody's message on a channel that is none of ours
            throw new FeedFaultException(FeedFaultKind.Protocol, $"the node sent an answer of {frame.Length} bytes");
        }

        var reply = FeedReply.Parse(frame);
        if (isPush && reply.Items is [{ Text: "sunsubscribe" }, var gone, ..])
            markers.Unsubscribed(gone.Text);
        var sentAt = isPush ? commands.AnswerByPush(reply) : commands.Answer(reply);
        if (Counts && sentAt is { } moment)
        {
            feed.Coverage.Prove(moment);
            state.Proven(moment);
        }
    }
}
