using System.Text;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Monitors;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Text;

namespace KeyEvt.Forwarder.Feed;

/// <summary>To which patterns is a connection subscribed, and which of them are in force at this position in the stream?</summary>
/// <remarks>
/// A change neither loses an event nor delivers one twice. First the new patterns are subscribed to. At the confirmation of the last one the new
/// patterns come into force and the old ones no longer count. Then the old ones are unsubscribed from. Only one change runs at a time; a want that
/// comes meanwhile is next.
/// </remarks>
internal sealed class FeedSubscriptions(FeedContext feed, CommandPipeline commands, NodeLetters letters, Func<EventClass> wanted, Action<RedisFault> end, Action onSettled)
{
    /// <summary>Guards all fields but the two volatile ones. Those are written under it, and read without it for each notification.</summary>
    private readonly Lock _gate = new();
    private readonly HashSet<string> _refused = [];
    private long _refusedAt;
    private readonly HashSet<string> _subscribed = [];
    private volatile byte[][] _inForce = [];
    private volatile bool _areFieldsInForce;
    private IReadOnlyList<string> _names = [];
    private bool _isChanging;
    private bool _hasBegun;

    /// <summary>Whether the patterns in force are those for what is wanted.</summary>
    public bool IsSettled
    {
        get
        {
            lock (_gate) return _hasBegun && !_isChanging && _names.SequenceEqual(Target());
        }
    }

    /// <summary>The classes whose patterns are in force; null while a change is under way.</summary>
    public EventClass? Heard
    {
        get
        {
            var classes = wanted();
            lock (_gate) return _hasBegun && !_isChanging && _names.SequenceEqual(TargetOf(classes)) ? classes : null;
        }
    }

    /// <summary>The patterns in force.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate) return _names;
        }
    }

    /// <summary>Whether events of hashes come a second time, with their fields. Read loop.</summary>
    public bool AreFieldsInForce => _areFieldsInForce;

    /// <summary>Whether notifications by this pattern count. Called for each notification on the read loop.</summary>
    public bool IsInForce(ReadOnlySpan<byte> pattern)
    {
        foreach (var one in _inForce)
        {
            if (pattern.SequenceEqual(one)) return true;
        }

        return false;
    }

    /// <summary>Called by the handshake when it is time to subscribe.</summary>
    public void Begin()
    {
        lock (_gate) _hasBegun = true;
        Step();
    }

    /// <summary>Tries the refused pattern with fields again when it is due. Timer only.</summary>
    public void RetryWhenDue()
    {
        lock (_gate)
        {
            if (!_refused.Contains(FeedPatterns.Fields) || feed.Time.GetElapsedTime(_refusedAt) < feed.Options.RefusedInterval) return;

            _refused.Remove(FeedPatterns.Fields);
        }

        Step();
    }

    /// <summary>Begins a change if one is due and none is under way. Any thread.</summary>
    public void Step()
    {
        lock (_gate)
        {
            if (!_hasBegun || _isChanging) return;

            var target = Target();
            if (!target.SequenceEqual(_names))
            {
                if (_names.Count > 0) FeedLog.SubscriptionChanges(feed.Logger, feed.Node, Listed(_names), Listed(target));
                _isChanging = true;
                Add(target);
                return;
            }
        }

        if (_areFieldsInForce || !wanted().HasFlag(EventClass.Fields)) feed.Remedies.Set(FeedAspect.Fields, null);
        onSettled();
    }

    /// <summary>The patterns for what is wanted. Called under the lock.</summary>
    private IReadOnlyList<string> Target() => TargetOf(wanted());

    private IReadOnlyList<string> TargetOf(EventClass classes) => FeedPatterns.Of(letters.Has(classes), letters.Classes, _refused);

    private static string Listed(IReadOnlyList<string> patterns) => patterns.Count == 0 ? "nothing" : string.Join(' ', patterns);

    private void Add(IReadOnlyList<string> target)
    {
        var missing = target.Where(pattern => !_subscribed.Contains(pattern)).ToArray();
        var due = missing.Length;
        var isRefused = false;
        foreach (var pattern in missing)
        {
            commands.SendSubscription(
                (reply, _) =>
                {
                    isRefused |= reply.IsError;
                    if (reply.IsError && !TryDoWithout(reply, pattern))
                    {
                        Refused(reply, pattern);
                        return;
                    }

                    lock (_gate)
                    {
                        if (!reply.IsError) _subscribed.Add(pattern);
                    }

                    if (--due > 0) return;
                    if (isRefused) Done(); // begins the change to the patterns that are allowed
                    else TakeForce(target);
                },
                "PSUBSCRIBE",
                pattern);
        }

        if (missing.Length == 0) TakeForce(target);
    }

    /// <summary>Puts the new patterns, which are all confirmed, into force. Then unsubscribes from the old ones.</summary>
    private void TakeForce(IReadOnlyList<string> target)
    {
        string[] old;
        lock (_gate)
        {
            _inForce = [.. target.Select(Encoding.ASCII.GetBytes)];
            _areFieldsInForce = target.Contains(FeedPatterns.Fields);
            _names = target;
            old = [.. _subscribed.Except(target)];
        }

        feed.Remedies.Set(FeedAspect.Subscription, null);
        var due = old.Length;
        foreach (var pattern in old)
        {
            commands.SendSubscription(
                (_, _) =>
                {
                    lock (_gate) _subscribed.Remove(pattern);
                    if (--due == 0) Done();
                },
                "PUNSUBSCRIBE",
                pattern);
        }

        if (old.Length == 0) Done();
    }

    private void Done()
    {
        lock (_gate) _isChanging = false;
        Step();
    }

    /// <summary>
    /// Whether the connection can do without the refused pattern: its events all come by another pattern, or only the fields are missing. Then the
    /// connection is not ended.
    /// </summary>
    private bool TryDoWithout(RedisAnswer reply, string pattern)
    {
        if (RedisErrors.IsPassing(reply) || !FeedPatterns.IsDispensable(pattern)) return false;

        lock (_gate)
        {
            _refused.Add(pattern);
            _refusedAt = feed.Time.GetTimestamp();
        }

        if (pattern == FeedPatterns.Fields)
        {
            feed.Remedies.Set(FeedAspect.Fields, $"PSUBSCRIBE {pattern} is refused: grant &{pattern} to the user; until then events come without the fields of hashes");
        }
        else
        {
            FeedLog.PatternRefused(feed.Logger, feed.Node, pattern, FeedPatterns.All);
        }

        return true;
    }

    private void Refused(RedisAnswer reply, string pattern)
    {
        if (RedisErrors.IsPassing(reply))
        {
            end(new RedisFault(RedisFaultKind.ConnectFailed, $"the node does not take subscriptions at the moment: {CleanText.Server(reply.Text)}"));
            return;
        }

        string narrower;
        lock (_gate) narrower = string.Join(" and ", _refused.Where(one => one != FeedPatterns.Fields).Select(one => "&" + one));
        var remedy = $"PSUBSCRIBE {pattern} is refused: grant &{pattern} and +psubscribe to the user{(narrower.Length > 0 ? $", or instead of the former {narrower}" : "")}";
        feed.Remedies.Set(FeedAspect.Subscription, remedy);
        end(new RedisFault(RedisFaultKind.Refused, $"{remedy} ({CleanText.Server(reply.Text)})"));
    }
}
