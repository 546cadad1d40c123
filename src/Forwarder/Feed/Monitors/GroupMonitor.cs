using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Feed.Notifications;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>How does one connection take part in the group of its stream? Reads and says the group's messages, and does what follows from them.</summary>
/// <remarks>Each connection has one. Under <see cref="FeedContext.Turn"/>, unless stated otherwise.</remarks>
/// <param name="pass">Gives an event to the sink.</param>
/// <param name="heard">The classes that are subscribed to and that the node sends; null while a change of that is under way.</param>
/// <param name="onSeatChanged">Subscribes to the events, or unsubscribes, as <see cref="StreamGroup.HasSeat"/> says.</param>
/// <param name="outlet">Where events wait until the node has said that it is a master.</param>
internal sealed class GroupMonitor(
    FeedContext feed, StreamGroup group, CommandPipeline commands, MarkerSender markers, CheckpointKeeper state, RoleConfirmGate outlet, NotificationRing.Visitor pass, Func<EventClass?> heard, Action onSeatChanged)
{
    private readonly StreamMember _member = group.Member;
    private readonly GroupBoard _board = new(feed, group);
    private readonly StreamTakeover _takeover = new(feed, group, state, pass);
    private readonly TaskCompletionSource _resigned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (ClockReading At, EventPosition Position) _asked;
    private bool _hasResigned;
    private ClockReading? _endsFrom; // the program is to end as soon as no event waits

    /// <summary>Called when another member begins to take part. It sets flags that are missing, and cannot know since when they are: who was there before looks at once.</summary>
    public Action OtherJoins { get; init; } = static () => { };

    /// <summary>Returns the classes whose flags were missing when this connection began.</summary>
    public Func<EventClass> LackedAtStart { get; init; } = static () => EventClass.None;

    /// <summary>Called when the node is asked for the subscription.</summary>
    public void Asked(ClockReading at) => _asked = (at, feed.Progress.Position);

    /// <summary>Called when the subscription is confirmed and the connection has become active.</summary>
    public void Begin(ulong runId)
    {
        group.Begin(runId, feed.Progress.Position.Marker);
        state.AskForEarlier();
        Tick();
    }

    /// <summary>
    /// Called when the subscription to what is wanted has come into force (without a seat that is nothing), and whenever something else has changed that
    /// decides whether this program hears what the group wants.
    /// </summary>
    public void Subscribed()
    {
        var (config, classes) = (group.Config, heard() ?? _member.Classes);
        // Where there are several streams, a version may be in force here a moment before or behind the others. Nothing is delivered from a replica's.
        var isOthers = !_member.IsServing || (feed.Options.HasSuccessors && config.Version > _member.ConfigVersion);
        var isInForce = !_member.IsKnown || (config.IsLoaded && (config.Version == _member.ConfigVersion || isOthers));
        var isHearing = group.HasSeat && isInForce && (classes & config.Classes) == config.Classes;
        if (config.IsFound && group.HearsByOptionsSince is { } since)
        {
            _member.Hear(false); // what was kept was chosen by options that are not in force
            _takeover.NotKept(since.At, since.Position);
        }

        group.HearsByOptionsSince = isHearing && config.Version == 0 ? group.HearsByOptionsSince ?? _asked : null;
        if (_member.IsHearing == isHearing && _member.Classes == classes) return;

        _member.Classes = classes;
        _member.Hear(isHearing, feed.Progress.Position.Count);
        group.Proposals.MarkSoon();
    }

    /// <summary>Whether events of this class have positions.</summary>
    public bool Counts(EventClass eventClass) => (eventClass & (IsBehind ? group.Config.FormerClasses : group.Config.Classes)) != 0;

    /// <summary>Whether an event came before the last change of the configuration in this stream.</summary>
    public bool IsBeforeChange(in EventPosition position) => IsBehind || position.Marker < group.ConfiguredAt;

    /// <summary>Says something that somebody else has to say. Any thread.</summary>
    /// <returns>The id of what was said; null: it cannot be said now.</returns>
    public MessageId? Say(Func<string, long, GroupMessage> message)
    {
        lock (feed.Turn)
        {
            long? said = null;
            var isSaid = _member.IsSubscribed && markers.TrySay(number =>
            {
                said = number;
                return group.Envelope.Write(message(_member.Name, number), group.RunId);
            });
            return isSaid ? new MessageId(_member.Name, said!.Value) : null;
        }
    }

    /// <summary>Called for each message on the channel of the markers.</summary>
    /// <returns>When this program said it; null if it did not, or if it was not waited for.</returns>
    public ClockReading? Read(ReadOnlySpan<byte> payload)
    {
        if (group.Envelope.Read(payload, group.RunId) is not { } message)
        {
            _board.CountUnread(payload);
            return null;
        }

        ClockReading? saidAt = message.Member == _member.Name && feed.Markers.TrySettle(message.Number, out var sentAt) ? sentAt : null;
        var isAnothersBeginning = message is GroupMessage.FreshClaim && message.Member != _member.Name;
        if (isAnothersBeginning && _member.IsHolder) outlet.PassAll(); // who begins anew does not have what waits here
        NoteProgress();
        var before = feed.Time.GetTimestamp();
        var (wasHolder, heardAt) = (_member.IsHolder, group.Proposals.Silence.HeardAt);
        var (hadReach, version) = (_member.Reach is not null, _member.ConfigVersion);
        var outcome = _member.Read(message, feed.Progress.Position.Count);
        ReadForConfig(message, version);
        _board.Show();
        if (_member.IsKnown) feed.Progress.Mark(_member.Marker, isOwn: saidAt is not null);
        feed.Markers.RaiseAbove(Math.Max(message.Number, _member.Marker));
        group.Proposals.Heard(message, outcome, saidAt);
        if (hadReach != (_member.Reach is not null)) group.Proposals.MarkSoon();
        if (outcome.HasFlag(StreamOutcome.Learned) || outcome.HasFlag(StreamOutcome.Anew)) group.Config.Joined();
        if (outcome.HasFlag(StreamOutcome.Lost)) FeedLog.HandedOver(feed.Logger, feed.Node, _member.Holder ?? "nobody yet");
        if (outcome.HasFlag(StreamOutcome.Learned)) _takeover.JudgeLearned(LackedAtStart());
        var isDeclared = outcome.HasFlag(StreamOutcome.Anew) && _takeover.JudgeAnew();
        if (outcome.HasFlag(StreamOutcome.Won))
        {
            _board.LastHandover = wasHolder || heardAt == 0 ? null : feed.Time.GetElapsedTime(heardAt, before);
            _takeover.TakeOver(isDeclared, _board.LastHandover ?? TimeSpan.Zero);
            NoteProgress();
            Tick(); // the first mark tells the others how far this is settled
        }

        if (message is GroupMessage.Who && message.Member != _member.Name) OtherJoins();
        Subscribed(); // a version that this program does not hear yet lets it forget what it keeps: what was its own to deliver has been passed on by now
        NoteWhetherAllIsKnown();
        if (message is GroupMessage.Resign && message.Member == _member.Name) _resigned.TrySetResult();
        if (saidAt is { } said && _member is { IsHolder: true, IsServing: true }) RaiseTermIfFenced(said);
        // Others may wait for an answer or for a claim, and this program for the end of its question.
        if (saidAt is null || !_member.IsKnown) Tick();
        return saidAt;
    }

    /// <summary>Whether a message is one of the group in this stream. Others are from the stream of the node's master, or of no member.</summary>
    public bool IsOfStream(ReadOnlySpan<byte> payload) => group.Envelope.IsOurs(payload, group.RunId);

    /// <summary>Whether the group said this in the stream of another node. Other groups do not count.</summary>
    public bool IsOfAnotherStream(ReadOnlySpan<byte> payload) => group.Envelope.RunOf(payload) is { } run && run != group.RunId;

    /// <summary>Called for each event. Returns whether to pass it on.</summary>
    public bool Keep(in EventPosition position, EventClass eventClass, in Notification notification, long readAt)
    {
        group.Proposals.EventCame();
        return _member.Keep(position, notification, readAt, feed.Sink.Wants(notification.Database, eventClass, notification.Key, IsBeforeChange(position)));
    }

    /// <summary>As <see cref="Keep"/>, for an event that has waited: it may have got another position meanwhile.</summary>
    public bool KeepWaited(ref EventPosition position, EventClass eventClass, in Notification notification, long readAt)
    {
        if (_member.NameOf(position) is not { } name) return false;

        position = name;
        return Keep(name, eventClass, notification, readAt);
    }

    /// <summary>Called behind each read, when no event waits: everything so far has been passed on.</summary>
    public void NoteProgress()
    {
        if (!_member.IsSettling || outlet.HasWaiting) return;

        if (!_member.IsServing)
        {
            if (feed.Hold is { IsReplica: true, Repeated: { } repeated }) _member.NoteRepeated(repeated);
            return;
        }

        var position = feed.Progress.Position;
        _member.Settled.Note(new StreamPlace(position.Marker, position.Count));
        EndWhenPassedOn();
    }

    /// <summary>The node is a master from here on, or no longer taken for one that was replaced. Takes over what its old master has left.</summary>
    public void Serve(IReadOnlyList<Estate> estates)
    {
        _takeover.Serve(estates);
        NoteProgress();
    }

    /// <summary>Says what is due.</summary>
    public void Tick()
    {
        _member.Delivery.Advance();
        NoteWhetherAllIsKnown();
        Subscribed();
        if (state.Earlier.Watermark is null) state.AskForEarlier();
        state.AskAgainAsMaster();
        foreach (var message in group.Proposals.Due(state.Earlier.Watermark))
        {
            if (!markers.TrySay(number => group.Envelope.Write(message(number), group.RunId))) break;
        }

        if (group.Proposals.IsEnding && _member.Settled.IsComplete && state.IsKept) Resign();
        if (group.PlanSeat())
        {
            Subscribed(); // from here on a claim that is under way does not make it the holder
            FeedLog.SeatChanged(feed.Logger, feed.Node, group.HasSeat ? "listens to the events" : "listens to the group only: enough other members listen to the events");
            onSeatChanged();
        }

        _board.Show();
    }

    /// <summary>The program ends: nothing that comes from here on is passed on, except for what waits until the node has said that it is a master. What was passed on is still settled.</summary>
    public void TakeLast() => commands.Send(
        (_, sentAt) =>
        {
            _endsFrom = sentAt;
            EndWhenPassedOn();
        },
        "PING");

    private void EndWhenPassedOn()
    {
        if (_endsFrom is not { } at || (_member.IsSettling && outlet.HasWaiting)) return;

        _endsFrom = null;
        NoteProgress();
        _member.BeginEnding();
        group.Proposals.IsEnding = true;
        group.Ended = (at, feed.Progress.Position);
    }

    /// <summary>At the end of the program: resigns, unless it has. Completes when that has been heard in the stream. Any thread.</summary>
    public Task ResignAsync()
    {
        lock (feed.Turn)
        {
            return group.Proposals.IsEnding && Resign() ? _resigned.Task : Task.CompletedTask;
        }
    }

    /// <summary>If another node takes the place of this one, who has not heard all that the holder had not settled has to declare it.</summary>
    public void NoteWhetherAllIsKnown()
    {
        if (_member is not { IsKnown: true, IsServing: true }) return;

        _member.NoteUnheard();
        state.Known(group.RunId, _member.UnheardBehind is null);
    }

    /// <summary>Gives to the configuration what concerns it.</summary>
    /// <param name="before">The version in force before the message.</param>
    private void ReadForConfig(GroupMessage message, long before)
    {
        switch (message)
        {
            case GroupMessage.Config { Text.Length: > 0 } config when _member.IsKnown && IsForUs(config):
                group.Config.Take(config);
                break;
            case GroupMessage.Prepare prepare:
                group.Config.Prepare(prepare.Classes);
                break;
            case GroupMessage.Ask ask when _member.IsHolder || (ask.What == GroupMessage.Wish.Config && _member is { IsKnown: true, Holder: null } && group.Config.Version == _member.ConfigVersion):
                group.Config.Asked(ask);
                break;
            case GroupMessage.Answer answer:
                group.Config.Answered(answer);
                break;
        }

        if (_member.ConfigVersion != before) group.ConfiguredAt = message is GroupMessage.Config ? _member.Marker : 0;
    }

    /// <summary>Whether this program has its version from another stream, and it is not yet in force in this one.</summary>
    private bool IsBehind => feed.Options.HasSuccessors && _member.IsKnown && _member.ConfigVersion < group.Config.Version;

    /// <summary>Whether it is in force here, and this program has another one. What comes earlier in the stream of a replica is not taken from there.</summary>
    private bool IsForUs(GroupMessage.Config config) =>
        config.Version == _member.ConfigVersion && _member.IsServing && (feed.Options.HasSuccessors ? config.Version > group.Config.Version : config.Version != group.Config.Version);

    /// <returns>False if there is nothing to resign from, or if nothing can be said.</returns>
    private bool Resign()
    {
        if (!_member.IsHolder) return false;
        if (_hasResigned) return true;

        var resign = _member.BeginResigning();
        _hasResigned = markers.TrySay(number => group.Envelope.Write(resign(number), group.RunId));
        return _hasResigned;
    }

    /// <summary>A larger term stands beside the fallback storage, but the stream says that this program is still the holder: it takes a larger one.</summary>
    private void RaiseTermIfFenced(ClockReading said)
    {
        if (group.Duties.Fenced is not { Term: < long.MaxValue } fenced || said.Timestamp <= fenced.Timestamp) return;

        FeedLog.TermRaised(feed.Logger, feed.Node, fenced.Term);
        group.Duties.Hold(fenced.Term + 1);
    }
}
