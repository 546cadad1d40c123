using KeyEvt.Forwarder.Outbox;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Does the node publish what is wanted? Looks at notify-keyspace-events, adds what is missing where it may, and declares the span without it.</summary>
/// <remarks>
/// One a connection: the setting is a process's own, lost when it restarts. Replies are handled on the read loop. Only letters are added, never
/// taken away; what may hide behind an A is written once for each new want and has the benefit of the doubt from then on (see <see cref="NotifyFlags"/>).
/// While something is wanted it looks with each marker, and asks how often CONFIG SET was given: what was taken away and given back between two looks shows
/// in that count only. Both together cost Redis some 30 us of CPU a look (7.0.15, 54 commands in its statistics), 0.01 % of a core.
/// </remarks>
internal sealed class FlagKeeper(FeedContext feed, FeedCommands commands, Func<EventClass> wanted, Action onSettled)
{
    private const string Setting = "notify-keyspace-events";

    /// <summary>Where others set something all the time, one gap after the other is declared, each as long as this.</summary>
    private static readonly TimeSpan LongestDoubt = TimeSpan.FromSeconds(10);

    private EventClass _written;
    private int _isChecking;
    private int _mayNotGet;
    private Moment _setRefusedAt;
    private long _checkedAt;
    private Doubt? _doubt;
    private bool _isGood;
    private long _lookedAt;
    private long _clearAt;
    private (EventClass Good, Moment At, EventPosition Position) _before;

    private EventClass _settledFor;
    private bool _isSettled;

    /// <summary>The flags may have been away since, though each look has found them.</summary>
    private sealed record Doubt(string Why, Moment Since, EventPosition Last);

    /// <summary>The last look was for what is wanted now, and all that may be done was done.</summary>
    public bool IsSettled => feed.Options.NotifyMode == NotifyMode.Off || (Volatile.Read(ref _isSettled) && _settledFor == wanted());

    /// <summary>The flags may have been away, and that is not declared yet. Read loop.</summary>
    public bool IsInDoubt => _doubt is not null;

    /// <summary>
    /// A look given at this moment or later has found the flags, and nothing says that they had been away; or nobody may look. Read loop.
    /// </summary>
    public bool AreClearSince(Moment at) => feed.Options.NotifyMode == NotifyMode.Off || Volatile.Read(ref _mayNotGet) != 0 || _clearAt >= at.Timestamp;

    public void Check()
    {
        if (feed.Options.NotifyMode == NotifyMode.Off || Interlocked.Exchange(ref _isChecking, 1) != 0)
            return;

        _checkedAt = feed.Time.GetTimestamp();
        commands.Send(OnGet, "CONFIG", "GET", Setting);
        if (wanted() != EventClass.None)
            commands.Send(OnCounts, "INFO", "commandstats");
    }

    /// <summary>Looks again when it is time to. Timer only.</summary>
    public void CheckWhenDue(TimeSpan slack)
    {
        var interval = Volatile.Read(ref _mayNotGet) != 0 ? feed.Options.RefusedInterval
            : wanted() != EventClass.None ? feed.Options.MarkerInterval
            : feed.Options.FlagsInterval;
        if (feed.Time.GetElapsedTime(_checkedAt) + slack >= interval || !IsSettled)
            Check();
    }

    /// <summary>The connection is over, and the read loop with it: what is in doubt stays so.</summary>
    public void End() => DeclareDoubt();

    private void OnGet(FeedReply reply, Moment sentAt)
    {
        _lookedAt = sentAt.Timestamp;
        (_before, _isGood) = ((feed.Flags.Good, feed.Flags.At, feed.Flags.Position), false);
        var need = wanted();
        string? current = reply.IsError ? null : reply.Find(Setting);
        if (FeedErrors.IsPassing(reply))
        {
            Postpone(reply);
            return;
        }

        Volatile.Write(ref _mayNotGet, current is null ? 1 : 0);
        feed.Board.Change(status => status with { NotifyFlags = current });
        if (current is null)
        {
            // Nobody can see what is set: trust whoever set the node up.
            Refuse("CONFIG GET is refused", need);
            feed.Coverage.FlagsFound(feed.Progress.Position);
            Settle(need);
            return;
        }

        bool isManaged = feed.Options.NotifyMode == NotifyMode.Manage;
        bool mayHide = !isManaged || (need & ~_written) == EventClass.None;
        string? write = NotifyFlags.Missing(current, need, out bool isAmbiguous);
        if (write is null || (mayHide && NotifyFlags.Covers(current, need)))
        {
            _isGood = true;
            Good(need, sentAt);
            return;
        }

        string lacking = $"{Setting} is '{current}' and lacks what is needed for '{NotifyFlags.Format(need)}E'";
        if (!NotifyFlags.Covers(current, feed.Flags.Good & need))
            feed.Coverage.FlagsLost(lacking, feed.Flags.At, feed.Flags.Position);
        if (isManaged && (_setRefusedAt == default || feed.Time.GetElapsedTime(_setRefusedAt.Timestamp) >= feed.Options.RefusedInterval))
        {
            commands.Send((answer, at) => OnSet(answer, at, current, write, need, isAmbiguous), "CONFIG", "SET", Setting, write);
            return;
        }

        if (!isManaged)
            feed.Remedies.Set(FeedAspect.Flags, $"{lacking}: set it to '{write}', or start with --notify-config manage");
        feed.Coverage.FlagsLost(lacking, null, feed.Progress.Position);
        Settle(need);
    }

    private void OnSet(FeedReply reply, Moment sentAt, string old, string written, EventClass need, bool isAmbiguous)
    {
        if (FeedErrors.IsPassing(reply))
        {
            Postpone(reply);
        }
        else if (reply.IsError)
        {
            _setRefusedAt = sentAt;
            Refuse($"CONFIG SET is refused ({FeedText.Clean(reply.Text)}), and {Setting} is '{old}'", need);
            feed.Coverage.FlagsLost($"{Setting} is '{old}' and cannot be set", null, feed.Progress.Position);
            Settle(need);
        }
        else
        {
            _setRefusedAt = default;
            feed.Flags.Sets.OwnSet();
            FeedLog.FlagsSet(feed.Logger, feed.Node, old, written);
            if (isAmbiguous)
                FeedLog.FlagsAmbiguous(feed.Logger, feed.Node, old);
            feed.Board.Change(status => status with { NotifyFlags = written });
            Good(need, sentAt);
        }
    }

    /// <summary>How often CONFIG SET was given, asked behind the flags.</summary>
    private void OnCounts(FeedReply reply, Moment sentAt)
    {
        bool mayHaveBeenAway = feed.Flags.Sets.MayHaveBeenAway(feed.Board.Status.RunId, reply.IsError ? null : ConfigCalls.Of(reply.Text), out string why);
        if (mayHaveBeenAway && _isGood && (_before.Good & wanted()) != EventClass.None && !feed.Hold.IsHeld)
            _doubt ??= new Doubt(why, _before.At, _before.Position);
        else
            DeclareDoubt();
        if (_isGood && _doubt is null)
            _clearAt = _lookedAt;
        if (_doubt is { } doubt && feed.Time.GetElapsedTime(doubt.Since.Timestamp) > LongestDoubt)
            DeclareDoubt();
    }

    private void DeclareDoubt()
    {
        if (_doubt is not { } doubt)
            return;

        _doubt = null;
        feed.Coverage.Missed(GapCause.FlagsMissing, doubt.Why, doubt.Since, doubt.Last, feed.Progress.Position);
    }

    private void Refuse(string what, EventClass need) => feed.Remedies.Set(
        FeedAspect.Flags,
        $"{what}: set {Setting} to include 'E{NotifyFlags.Format(need)}' in the server's configuration or parameter group, or grant +config|get +config|set");

    private void Good(EventClass need, Moment at)
    {
        _written |= need;
        feed.Flags.Seen(need, at, feed.Progress.Position);
        feed.Remedies.Set(FeedAspect.Flags, null);
        feed.Coverage.FlagsFound(feed.Progress.Position);
        Settle(need);
    }

    /// <summary>The timer asks again. In the handshake there is no timer yet: it begins anew.</summary>
    private void Postpone(FeedReply reply)
    {
        if (!_isSettled)
            throw new FeedFaultException(FeedFaultKind.ConnectFailed, $"the node does not tell its configuration yet: {FeedText.Clean(reply.Text)}");
        Volatile.Write(ref _isChecking, 0);
    }

    private void Settle(EventClass need)
    {
        _settledFor = need;
        Volatile.Write(ref _isSettled, true);
        Volatile.Write(ref _isChecking, 0);
        if (need != wanted())
            Check();
        onSettled();
    }
}
