using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Keys;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed;

/// <summary>What is a frame from the node: an event, a marker, or an answer? The feed's hot path: nothing is allocated for an event.</summary>
internal sealed class FeedFrameHandler(
    FeedContext feed, CommandPipeline commands, FeedSubscriptions subscriptions, NodeLetters letters, RoleMonitor roles, MarkerSender markers, RoleConfirmGate outlet, CheckpointKeeper state, PollingIntervals pace, GroupMonitor group) : IFrameSink
{
    private const int MaxReplyBytes = 1024 * 1024;

    /// <summary>
    /// The events that Redis 8.8 may send with fields: those of hashes. Its sources prepare it for arrays too, and a module may do it for its own.
    /// </summary>
    private const EventClass WithFields = EventClass.Hash | EventClass.Array | EventClass.Module;

    private readonly IEventSink _sink = feed.Sink;
    private readonly FeedProgress _progress = feed.Progress;
    private readonly ReplicaBuffer _hold = feed.Hold;
    private readonly PendingFieldEvent _held = new();
    private readonly bool _needsConfirming = feed.Options.HasSuccessors;
    private long _readAt;
    private bool _hasEvents;

    /// <summary>
    /// Whether its connection is the active one, which it becomes when its subscription is confirmed. Before that only answers are handled. Under
    /// <see cref="FeedContext.Turn"/>.
    /// </summary>
    public bool Counts { get; set; }

    public void Frame(ReadOnlySpan<byte> frame)
    {
        if (NotificationParser.TryParse(frame, out var notification))
        {
            if (Counts && subscriptions.IsInForce(notification.Pattern)) // overlapping patterns deliver an event twice, so only the patterns in force count
            {
                Notified(notification);
            }

            return;
        }

        ReleaseHeld();
        if (markers.Channel is { } channel && frame.StartsWith(channel.Head)) Said(frame[channel.Head.Length..]);
        else Answered(frame);
    }

    public void Oversized(long bytes)
    {
        if (!Counts) return;

        ReleaseHeld();
        var last = _progress.Position;
        _progress.PassOversized();
        FeedLog.Oversized(feed.Logger, feed.Node, bytes, _progress.Oversized);
        feed.Coverage.Missed(GapCause.Oversized, $"a notification of {bytes} bytes was not read", ClockReading.Now(feed.Time), last, _progress.Position);
    }

    public void EndOfRead()
    {
        if (_held is { IsHolding: true, IsAsked: false })
        {
            // The message with the fields may be on its way. The answer to this PING comes behind it, and then releases the waiting event.
            _held.IsAsked = true;
            commands.Send(static (_, _) => { }, "PING");
        }

        _progress.Publish();
        if (!_held.IsHolding) group.NoteProgress();
        if (_hasEvents)
        {
            _hasEvents = false;
            if (_needsConfirming) roles.AskToConfirm();
            else _sink.EndOfBatch();
        }
    }

    /// <summary>Called when nothing more comes, or not for long: passes on what waits for something behind it. Under <see cref="FeedContext.Turn"/>.</summary>
    public void Conclude()
    {
        if (_held.IsHolding)
        {
            ReleaseHeld();
            _sink.EndOfBatch();
        }

        roles.End();
    }

    private void Notified(in Notification notification)
    {
        if (!notification.Fields.IsEmpty && _held.IsSame(notification))
        {
            Pass(_held.Release(out _), notification);
            return;
        }

        ReleaseHeld();
        if (!group.Counts(letters.ClassOf(notification.Event))) return;

        var position = _progress.Receive();
        if (!pace.HasNews || !state.HasMoved)
        {
            var isOurs = FallbackKey.Is(notification.Key);
            pace.HasNews |= !isOurs;
            state.HasMoved |= !isOurs;
        }

        if (subscriptions.AreFieldsInForce && notification.Fields.IsEmpty && (letters.ClassOf(notification.Event) & WithFields) != 0)
        {
            _held.Hold(position, notification);
        }
        else
        {
            Pass(position, notification);
        }
    }

    private void ReleaseHeld()
    {
        if (_held.IsHolding) Pass(_held.Release(out var notification), notification);
    }

    private void Pass(in EventPosition position, in Notification notification)
    {
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

        var eventClass = letters.ClassOf(notification.Event);
        if (!group.Keep(position, eventClass, notification, _readAt)) return;

        _sink.Received(position, notification.Database, eventClass, notification.Event, notification.Key, notification.Fields, _readAt);
    }

    /// <param name="rest">The rest of the push: length CRLF payload CRLF.</param>
    private void Said(ReadOnlySpan<byte> rest)
    {
        if (!Counts) return;

        var payload = rest[(rest.IndexOf((byte)'\n') + 1)..^2];
        var saidAt = group.Read(payload);
        if (_needsConfirming)
        {
            // A replica repeats what is said in its master's stream: it shows up to which point it has repeated its master.
            if (_hold.IsHeld && group.IsOfAnotherStream(payload)) _hold.KeepMarker(payload);
            else if (!_hold.IsHeld && group.IsOfStream(payload)) outlet.AddMarker(payload);
        }

        if (saidAt is { } moment) Proven(moment);
    }

    /// <summary>A message of the group has come back as an answer, because this program may not publish it.</summary>
    public void SaidToSelf(string payload)
    {
        if (Counts) group.Read(Encoding.UTF8.GetBytes(payload));
    }

    private void Proven(ClockReading sentAt)
    {
        feed.Coverage.Prove(sentAt);
        state.Proven(sentAt);
    }

    private void Answered(ReadOnlySpan<byte> frame)
    {
        var isPush = frame[0] == '>';
        if (frame.StartsWith(">4\r\n$8\r\npmessage\r\n"u8))
        {
            Refused();
            return;
        }

        if (frame.Length > MaxReplyBytes)
        {
            if (isPush) return; // a message that somebody sent on a channel that is not ours
            throw new RedisFaultException(RedisFaultKind.Protocol, $"the node sent an answer of {frame.Length} bytes");
        }

        var reply = RedisAnswer.Parse(frame);
        var sentAt = isPush ? commands.AnswerByPush(reply) : commands.Answer(reply);
        if (Counts && sentAt is { } moment) Proven(moment);
    }

    /// <summary>A message on a channel of notifications that no Redis sends itself: somebody has published it.</summary>
    private void Refused()
    {
        if (!Counts) return;

        _progress.PassRefused();
        if (feed.RefusedWarnings.MayWarn(2022)) FeedLog.NotificationRefused(feed.Logger, feed.Node, _progress.Refused);
    }
}
