using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>
/// Does the node publish what is wanted? Checks notify-keyspace-events, adds missing letters if that is allowed, and declares the time without them
/// as a gap.
/// </summary>
/// <remarks>
/// Each connection has one: the setting belongs to a process, and is lost when that restarts. Answers are handled on the read loop. Letters are only
/// added, never taken away. Letters that may hide behind an A are written once for each new want, and are then assumed to be set (see
/// <see cref="NotifyFlags"/>). While something is wanted, it checks as often as <see cref="PollingIntervals"/> says, and also asks how often CONFIG
/// SET was given. Only that count shows what was taken away and given back between two checks. Both together cost Redis some 30 us of CPU a check
/// (7.0.15, 54 commands in its statistics), 0.01 % of a core. When a group wants more letters, the member that delivers adds them, and the others do so
/// only if they are missing at the next look too: CONFIG SETs of several members at once would look like flags taken away and given back. A letter that
/// the server lacks (<see cref="NodeLetters"/>) is reported and left out, and the others are set all the same.
/// </remarks>
internal sealed class NotifyFlagsMonitor(FeedContext feed, CommandPipeline commands, NodeLetters letters, PollingIntervals pace, Func<EventClass> wanted, Action onSettled)
{
    private const string Setting = "notify-keyspace-events";

    /// <summary>If others give CONFIG SET all the time, a doubt is declared as a gap after this time, and the next one begins.</summary>
    private static readonly TimeSpan LongestDoubt = TimeSpan.FromSeconds(10);

    private EventClass _written;

    /// <summary>What was wanted when letters were left to the member that delivers; None: they never were.</summary>
    private EventClass _leftFor;

    /// <summary>1 while a check is under way. Exchanged with Interlocked by any thread.</summary>
    private int _isChecking;

    /// <summary>1 if CONFIG GET is refused. Written by the read loop; read from any thread. Both with Volatile.</summary>
    private int _mayNotGet;
    private ClockReading _setRefusedAt;
    private EventClass _setRefusedFor;

    /// <summary>Timestamp of the last check. Written by the thread that has set <see cref="_isChecking"/>, and read by the timer, both with Volatile.</summary>
    private long _checkedAt;
    private Doubt? _doubt;
    private bool _isGood;
    private long _lookedAt;
    private long _clearAt;
    private (EventClass Good, ClockReading At, EventPosition Position) _before;

    /// <summary>Written by the read loop, this one before <see cref="_isSettled"/>. Any thread reads them.</summary>
    private volatile EventClass _settledFor;
    private bool _isSettled;

    /// <summary>The flags may have been away since this moment, though each check has found them set.</summary>
    private sealed record Doubt(string Why, ClockReading Since, EventPosition Last);

    /// <summary>Whether the last check was for what is wanted, and everything that is allowed was done.</summary>
    public bool IsSettled => feed.Options.NotifyMode == NotifyMode.Off || (Volatile.Read(ref _isSettled) && _settledFor == wanted());

    /// <summary>The wanted classes that the flags lacked when the connection began. Read loop.</summary>
    public EventClass LackedAtStart { get; private set; }

    /// <summary>Whether the flags may have been away, and this is not declared yet. Read loop.</summary>
    public bool IsInDoubt => _doubt is not null;

    /// <summary>
    /// Whether a check that was sent at this moment or later has found the flags set, and nothing suggests that they had been away. Also true if
    /// CONFIG GET is refused. Read loop.
    /// </summary>
    public bool AreClearSince(ClockReading at) => feed.Options.NotifyMode == NotifyMode.Off || Volatile.Read(ref _mayNotGet) != 0 || _clearAt >= at.Timestamp;

    public void Check()
    {
        if (feed.Options.NotifyMode == NotifyMode.Off || Interlocked.Exchange(ref _isChecking, 1) != 0) return;

        Volatile.Write(ref _checkedAt, feed.Time.GetTimestamp());
        commands.Send(OnGet, "CONFIG", "GET", Setting);
        if (wanted() != EventClass.None) commands.Send(OnCounts, "INFO", "commandstats");
    }

    /// <summary>Checks again when it is due. Timer only.</summary>
    public void CheckWhenDue(TimeSpan slack)
    {
        var interval = Volatile.Read(ref _mayNotGet) != 0 ? feed.Options.RefusedInterval : pace.LookInterval;
        if ((pace.IsWanted && feed.Time.GetElapsedTime(Volatile.Read(ref _checkedAt)) + slack >= interval) || !IsSettled) Check();
    }

    /// <summary>Called when the connection and its read loop have ended. Declares a doubt that is still open.</summary>
    public void End() => DeclareDoubt();

    private void OnGet(RedisAnswer reply, ClockReading sentAt)
    {
        _lookedAt = sentAt.Timestamp;
        (_before, _isGood) = ((feed.Flags.Good, feed.Flags.At, feed.Flags.Position), false);
        var want = wanted();
        if ((_before.Good & want) != EventClass.None && feed.Flags.RunId != feed.Board.Status.RunId)
        {
            feed.Coverage.FlagsUnknown(_before.At, _before.Position);
        }

        var current = reply.IsError ? null : reply.Find(Setting);
        if (RedisErrors.IsPassing(reply))
        {
            Postpone(reply);
            return;
        }

        Volatile.Write(ref _mayNotGet, current is null ? 1 : 0);
        feed.Board.Change(status => status with { NotifyFlags = current });
        if (current is null)
        {
            // Nobody can see what is set, so whoever set the node up is trusted.
            Refuse("CONFIG GET is refused", letters.Has(want));
            feed.Coverage.FlagsFound(feed.Progress.Position);
            Settle(want, null);
            return;
        }

        letters.Shown(NotifyFlags.ClassesOf(current, letters.Server.All));
        Judge(current, want, sentAt);
    }

    /// <summary>Decides whether the node publishes enough. If not, and if that is allowed, sets what is missing.</summary>
    /// <param name="current">The setting's current value.</param>
    private void Judge(string current, EventClass want, ClockReading sentAt)
    {
        var isManaged = feed.Options.NotifyMode == NotifyMode.Manage;
        var need = isManaged ? letters.ToTry(want) : letters.Has(want);
        var mayBeInA = !isManaged || (need & ~_written) == EventClass.None;
        var write = NotifyFlags.Missing(current, need, letters.Server.All, out var isAmbiguous);
        if (write is null || (mayBeInA && NotifyFlags.Covers(current, need, letters.Server.All)))
        {
            _isGood = true;
            Good(want, need, sentAt);
            return;
        }

        var lacking = $"{Setting} is '{current}' and lacks what is needed for '{NotifyFlags.Format(need, letters.Server.All)}E'";
        if (!_isSettled) LackedAtStart = NotifyFlags.Lacking(current, need & ~EventClass.Fields, letters.Server.All);
        var former = feed.Flags.Good & need;
        var lacksFormer = !NotifyFlags.Covers(current, former & ~EventClass.Fields, letters.Server.All);
        if (lacksFormer) LostFormer(lacking);
        else if (former != EventClass.None) feed.Flags.Seen(feed.Flags.Good, sentAt, feed.Progress.Position, feed.Board.Status.RunId);

        if (isManaged && former != EventClass.None && !lacksFormer && _leftFor != need && feed.Group.IsHeldByAnother)
        {
            (_leftFor, _isGood) = (need, true);
            Volatile.Write(ref _isChecking, 0); // not settled, so the next beat looks again
            return;
        }

        if (isManaged && (_setRefusedAt == default || need != _setRefusedFor || feed.Time.GetElapsedTime(_setRefusedAt.Timestamp) >= feed.Options.RefusedInterval))
        {
            var mayHide = !lacksFormer && former != EventClass.None;
            commands.Send((answer, at) => OnSet(answer, at, current, write, want, need, isAmbiguous, mayHide), "CONFIG", "SET", Setting, write);
            return;
        }

        if (!isManaged) feed.Remedies.Set(FeedAspect.Flags, $"{lacking}: set it to '{write}', or start with --notify-config manage");
        GoWithout(current, want, need, lacking);
    }

    /// <summary>Declares flags as missing that were seen set. The node may have lacked them as a master, although it has been replaced by now. Another process does not have the flags of its forerunner.</summary>
    private void LostFormer(string lacking)
    {
        var (at, last) = (feed.Flags.At, feed.Flags.Position);
        feed.Coverage.FlagsLost(lacking, at, last);
        if (!WasMasterUntilAfter(at) || feed.Flags.RunId != feed.Board.Status.RunId || feed.Flags.IsLossDeclared) return;

        feed.Flags.IsLossDeclared = true;
        feed.Coverage.Missed(GapCause.FlagsMissing, $"{lacking}; that may have been so while the node was still a master", at, last, feed.Progress.Position);
    }

    /// <summary>Whether the node is no master any more that anybody listens to, but was one for a while after this moment.</summary>
    private bool WasMasterUntilAfter(ClockReading at) => feed.Mastership switch
    {
        { End: not null } was => feed.Hold.IsReplica && at.Timestamp < was.ReplicaAt.Timestamp,
        { End: null } => feed.Hold.IsFenced && at.Timestamp < feed.Hold.Fenced.At.Timestamp, // another node has taken its place, and it does not say so yet
        null => false,
    };

    private void OnSet(RedisAnswer reply, ClockReading sentAt, string old, string written, EventClass want, EventClass need, bool isAmbiguous, bool mayHide)
    {
        if (RedisErrors.IsPassing(reply))
        {
            Postpone(reply);
        }
        else if (reply.IsError && letters.TryNarrow(need, reply))
        {
            Judge(old, want, sentAt); // once more, without the letters that the server lacks
        }
        else if (reply.IsError)
        {
            (_setRefusedAt, _setRefusedFor) = (sentAt, need);
            Refuse($"CONFIG SET is refused ({CleanText.Server(reply.Text)}), and {Setting} is '{old}'", need);
            GoWithout(old, want, need, $"{Setting} is '{old}' and cannot be set");
        }
        else
        {
            _setRefusedAt = default;
            feed.Flags.Sets.OwnSet(mayHide);
            FeedLog.FlagsSet(feed.Logger, feed.Node, old, written);
            if (isAmbiguous) FeedLog.FlagsAmbiguous(feed.Logger, feed.Node, old);
            feed.Board.Change(status => status with { NotifyFlags = written });
            letters.Shown(NotifyFlags.ClassesOf(written, letters.Server.All));
            Good(want, need, mayHide ? null : sentAt);
        }
    }

    /// <summary>Handles the count of CONFIG SETs, which is asked for behind the flags.</summary>
    private void OnCounts(RedisAnswer reply, ClockReading sentAt)
    {
        if (RedisErrors.IsPassing(reply)) return; // the next count is compared with the one before the node was busy

        var mayHaveBeenAway = feed.Flags.Sets.MayHaveBeenAway(feed.Board.Status.RunId, reply.IsError ? null : ConfigCalls.Of(reply.Text), out var why);
        if (feed.Flags.Sets.OthersSet) pace.OthersSet();
        if (mayHaveBeenAway && _isGood && (_before.Good & wanted()) != EventClass.None && !feed.Hold.IsHeld)
        {
            _doubt ??= new Doubt(why, _before.At, _before.Position);
        }
        else
        {
            DeclareDoubt();
        }

        if (_isGood && _doubt is null) _clearAt = _lookedAt;
        if (_doubt is { } doubt && feed.Time.GetElapsedTime(doubt.Since.Timestamp) > LongestDoubt) DeclareDoubt();
    }

    private void DeclareDoubt()
    {
        if (_doubt is not { } doubt) return;

        _doubt = null;
        feed.Coverage.Missed(GapCause.FlagsMissing, doubt.Why, doubt.Since, doubt.Last, feed.Progress.Position);
    }

    private void Refuse(string what, EventClass need) => feed.Remedies.Set(
        FeedAspect.Flags,
        $"{what}: set {Setting} to include 'E{NotifyFlags.Format(need, letters.Server.All)}' in the server's configuration or parameter group, or grant +config|get +config|set");

    /// <summary>Reports what is missing and may not be set. If only the fields of hashes are missing, all events still come.</summary>
    private void GoWithout(string current, EventClass want, EventClass need, string fault)
    {
        var losesEvents = NotifyFlags.Missing(current, need & ~EventClass.Fields, letters.Server.All, out _) is not null;
        if (losesEvents) feed.Coverage.FlagsLost(fault, null, feed.Progress.Position);
        else feed.Coverage.FlagsFound(feed.Progress.Position);
        Settle(want, losesEvents ? fault : null);
    }

    /// <param name="at">When all of it was seen set; null: some of it was set without a look at the rest.</param>
    private void Good(EventClass want, EventClass need, ClockReading? at)
    {
        _written |= need;
        if (at is { } seen) feed.Flags.Seen(need, seen, feed.Progress.Position, feed.Board.Status.RunId);
        else feed.Flags.Widen(need);
        feed.Remedies.Set(FeedAspect.Flags, null);
        feed.Coverage.FlagsFound(feed.Progress.Position);
        Settle(want, null);
    }

    /// <summary>Shows the wanted letters that this server does not have. No setting can bring them; everything else that is wanted still comes.</summary>
    private void Show(EventClass want, string? fault)
    {
        var lacking = NotifyFlags.List(letters.Lacks(want));
        var hasNone = lacking.Length > 0 && (letters.Has(want) & ~EventClass.Fields) == EventClass.None;
        var text = $"{letters.Server.Name} has no event flags '{lacking}': {(hasNone ? "none of the wanted events exist there" : lacking == "T" ? "events come without the fields of hashes" : "those events do not exist there, all others are forwarded")}";
        feed.Remedies.Set(FeedAspect.Letters, lacking.Length > 0 ? text : null);
        feed.Board.Change(status => status with { LackingFlags = lacking, FlagsFault = fault ?? (hasNone ? text : null) });
    }

    /// <summary>Lets the timer ask again. In the handshake there is no timer yet, so the connection begins anew.</summary>
    private void Postpone(RedisAnswer reply)
    {
        if (!_isSettled)
        {
            throw new RedisFaultException(RedisFaultKind.ConnectFailed, $"the node does not tell its configuration yet: {CleanText.Server(reply.Text)}");
        }

        Volatile.Write(ref _isChecking, 0);
    }

    /// <param name="fault">Why the wanted events do not come; null if they do.</param>
    private void Settle(EventClass want, string? fault)
    {
        Show(want, fault);
        _settledFor = want;
        Volatile.Write(ref _isSettled, true);
        Volatile.Write(ref _isChecking, 0);
        if (want != wanted()) Check();
        onSettled();
    }
}
