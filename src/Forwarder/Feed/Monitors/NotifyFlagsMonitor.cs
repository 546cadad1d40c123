using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>Does the node publish what is wanted? Looks at notify-keyspace-events, adds what is missing where it may, and declares the span without it.</summary>
/// <remarks>
/// One a connection: the setting is a process's own, lost when it restarts. Replies are handled on the read loop. Only letters are added, never
/// taken away; what may hide behind an A is written once for each new want and has the benefit of the doubt from then on (see <see cref="NotifyFlags"/>).
/// While something is wanted it looks as often as <see cref="PollingIntervals"/> says, and asks how often CONFIG SET was given: what was taken away and given back between two
/// looks shows in that count only. Both together cost Redis some 30 us of CPU a look (7.0.15, 54 commands in its statistics), 0.01 % of a core. A letter that the
/// server lacks (<see cref="NodeLetters"/>) is said and left out: it is no reason to go without the others.
/// </remarks>
internal sealed class NotifyFlagsMonitor(FeedContext feed, CommandPipeline commands, NodeLetters letters, PollingIntervals pace, Func<EventClass> wanted, Action onSettled)
{
    private const string Setting = "notify-keyspace-events";

    /// <summary>Where others set something all the time, one gap after the other is declared, each as long as this.</summary>
    private static readonly TimeSpan LongestDoubt = TimeSpan.FromSeconds(10);

    private EventClass _written;
    private int _isChecking;
    private int _mayNotGet;
    private ClockReading _setRefusedAt;
    private EventClass _setRefusedFor;
    private long _checkedAt;
    private Doubt? _doubt;
    private bool _isGood;
    private long _lookedAt;
    private long _clearAt;
    private (EventClass Good, ClockReading At, EventPosition Position) _before;

    private EventClass _settledFor;
    private bool _isSettled;

    /// <summary>The flags may have been away since, though each look has found them.</summary>
    private sealed record Doubt(string Why, ClockReading Since, EventPosition Last);

    /// <summary>The last look was for what is wanted now, and all that may be done was done.</summary>
    public bool IsSettled => feed.Options.NotifyMode == NotifyMode.Off || (Volatile.Read(ref _isSettled) && _settledFor == wanted());

    /// <summary>The flags may have been away, and that is not declared yet. Read loop.</summary>
    public bool IsInDoubt => _doubt is not null;

    /// <summary>
    /// A look given at this moment or later has found the flags, and nothing says that they had been away; or nobody may look. Read loop.
    /// </summary>
    public bool AreClearSince(ClockReading at) => feed.Options.NotifyMode == NotifyMode.Off || Volatile.Read(ref _mayNotGet) != 0 || _clearAt >= at.Timestamp;

    public void Check()
    {
        if (feed.Options.NotifyMode == NotifyMode.Off || Interlocked.Exchange(ref _isChecking, 1) != 0) return;

        _checkedAt = feed.Time.GetTimestamp();
        commands.Send(OnGet, "CONFIG", "GET", Setting);
        if (wanted() != EventClass.None) commands.Send(OnCounts, "INFO", "commandstats");
    }

    /// <summary>Looks again when it is time to. Timer only.</summary>
    public void CheckWhenDue(TimeSpan slack)
    {
        var interval = Volatile.Read(ref _mayNotGet) != 0 ? feed.Options.RefusedInterval : pace.LookInterval;
        if ((pace.IsWanted && feed.Time.GetElapsedTime(_checkedAt) + slack >= interval) || !IsSettled) Check();
    }

    /// <summary>The connection is over, and the read loop with it: what is in doubt stays so.</summary>
    public void End() => DeclareDoubt();

    private void OnGet(RedisAnswer reply, ClockReading sentAt)
    {
        _lookedAt = sentAt.Timestamp;
        (_before, _isGood) = ((feed.Flags.Good, feed.Flags.At, feed.Flags.Position), false);
        var want = wanted();
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
            // Nobody can see what is set: trust whoever set the node up.
            Refuse("CONFIG GET is refused", letters.Has(want));
            feed.Coverage.FlagsFound(feed.Progress.Position);
            Settle(want, null);
            return;
        }

        letters.Shown(NotifyFlags.ClassesOf(current, letters.Server.All));
        Judge(current, want, sentAt);
    }

    /// <summary>Is what the node publishes enough? If not, and where that is allowed, it is set.</summary>
    /// <param name="current">What is set.</param>
    private void Judge(string current, EventClass want, ClockReading sentAt)
    {
        var isManaged = feed.Options.NotifyMode == NotifyMode.Manage;
        var need = isManaged ? letters.ToTry(want) : letters.Has(want);
        var mayHide = !isManaged || (need & ~_written) == EventClass.None;
        var write = NotifyFlags.Missing(current, need, letters.Server.All, out var isAmbiguous);
        if (write is null || (mayHide && NotifyFlags.Covers(current, need, letters.Server.All)))
        {
            _isGood = true;
            Good(want, need, sentAt);
            return;
        }

        var lacking = $"{Setting} is '{current}' and lacks what is needed for '{NotifyFlags.Format(need, letters.Server.All)}E'";
        if (!NotifyFlags.Covers(current, feed.Flags.Good & need & ~EventClass.Fields, letters.Server.All))
        {
            feed.Coverage.FlagsLost(lacking, feed.Flags.At, feed.Flags.Position);
        }

        if (isManaged && (_setRefusedAt == default || need != _setRefusedFor || feed.Time.GetElapsedTime(_setRefusedAt.Timestamp) >= feed.Options.RefusedInterval))
        {
            commands.Send((answer, at) => OnSet(answer, at, current, write, want, need, isAmbiguous), "CONFIG", "SET", Setting, write);
            return;
        }

        if (!isManaged) feed.Remedies.Set(FeedAspect.Flags, $"{lacking}: set it to '{write}', or start with --notify-config manage");
        GoWithout(current, want, need, lacking);
    }

    private void OnSet(RedisAnswer reply, ClockReading sentAt, string old, string written, EventClass want, EventClass need, bool isAmbiguous)
    {
        if (RedisErrors.IsPassing(reply))
        {
            Postpone(reply);
        }
        else if (reply.IsError && letters.TryNarrow(need, reply))
        {
            Judge(old, want, sentAt); // once more, without the letters that it lacks
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
            feed.Flags.Sets.OwnSet();
            FeedLog.FlagsSet(feed.Logger, feed.Node, old, written);
            if (isAmbiguous) FeedLog.FlagsAmbiguous(feed.Logger, feed.Node, old);
            feed.Board.Change(status => status with { NotifyFlags = written });
            letters.Shown(NotifyFlags.ClassesOf(written, letters.Server.All));
            Good(want, need, sentAt);
        }
    }

    /// <summary>How often CONFIG SET was given, asked behind the flags.</summary>
    private void OnCounts(RedisAnswer reply, ClockReading sentAt)
    {
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

    /// <summary>What is missing may not be set. Without the fields of hashes all events come all the same.</summary>
    private void GoWithout(string current, EventClass want, EventClass need, string fault)
    {
        var losesEvents = NotifyFlags.Missing(current, need & ~EventClass.Fields, letters.Server.All, out _) is not null;
        if (losesEvents) feed.Coverage.FlagsLost(fault, null, feed.Progress.Position);
        else feed.Coverage.FlagsFound(feed.Progress.Position);
        Settle(want, losesEvents ? fault : null);
    }

    private void Good(EventClass want, EventClass need, ClockReading at)
    {
        _written |= need;
        feed.Flags.Seen(need, at, feed.Progress.Position);
        feed.Remedies.Set(FeedAspect.Flags, null);
        feed.Coverage.FlagsFound(feed.Progress.Position);
        Settle(want, null);
    }

    /// <summary>What this server does not have cannot be had by a setting; what else is wanted comes all the same.</summary>
    private void Show(EventClass want, string? fault)
    {
        var lacking = NotifyFlags.List(letters.Lacks(want));
        var hasNone = lacking.Length > 0 && (letters.Has(want) & ~EventClass.Fields) == EventClass.None;
        var text = $"{letters.Server.Name} has no event flags '{lacking}': {(hasNone ? "none of the wanted events exist there" : lacking == "T" ? "events come without the fields of hashes" : "those events do not exist there, all others are forwarded")}";
        feed.Remedies.Set(FeedAspect.Letters, lacking.Length > 0 ? text : null);
        feed.Board.Change(status => status with { LackingFlags = lacking, FlagsFault = fault ?? (hasNone ? text : null) });
    }

    /// <summary>The timer asks again. In the handshake there is no timer yet: it begins anew.</summary>
    private void Postpone(RedisAnswer reply)
    {
        if (!_isSettled)
        {
            throw new RedisFaultException(RedisFaultKind.ConnectFailed, $"the node does not tell its configuration yet: {CleanText.Server(reply.Text)}");
        }

        Volatile.Write(ref _isChecking, 0);
    }

    /// <param name="fault">Why what is wanted does not come; null: it does.</param>
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
