using System.Text;

namespace KeyEvt.Forwarder.Feed;

/// <summary>Which patterns is a connection subscribed to, and which of them count at this place in the stream?</summary>
/// <remarks>
/// A change never leaves a hole and never brings an event twice: first the new patterns are subscribed to, at the confirmation of the last of them the
/// new ones come into force and the old ones no longer count, and then the old ones are given up. One change at a time; a want that comes meanwhile is next.
/// </remarks>
internal sealed class FeedSubscriptions(FeedContext feed, FeedCommands commands, Func<EventClass> wanted, Action<FeedFault> end, Action onSettled)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _subscribed = [];
    private volatile byte[][] _inForce = [];
    private IReadOnlyList<string> _names = [];
    private bool _isChanging;
    private bool _hasBegun;

    /// <summary>The patterns in force are those of what is wanted now.</summary>
    public bool IsSettled
    {
        get
        {
            lock (_gate)
                return _hasBegun && !_isChanging && _names.SequenceEqual(FeedPatterns.Of(wanted()));
        }
    }

    /// <summary>The patterns in force.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
                return _names;
        }
    }

    /// <summary>For each notification, on the read loop.</summary>
    public bool IsInForce(ReadOnlySpan<byte> pattern)
    {
        foreach (byte[] one in _inForce)
        {
            if (pattern.SequenceEqual(one))
                return true;
        }

        return false;
    }

    /// <summary>The handshake has come to the point where subscribing begins.</summary>
    public void Begin()
    {
        lock (_gate)
            _hasBegun = true;
        Step();
    }

    /// <summary>Begins a change if one is due and none is under way. Any thread.</summary>
    public void Step()
    {
        lock (_gate)
        {
            if (!_hasBegun || _isChanging)
                return;

            var target = FeedPatterns.Of(wanted());
            if (!target.SequenceEqual(_names))
            {
                if (_names.Count > 0)
                    FeedLog.SubscriptionChanges(feed.Logger, feed.Node, Listed(_names), Listed(target));
                _isChanging = true;
                Add(target);
                return;
            }
        }

        onSettled();
    }

    private static string Listed(IReadOnlyList<string> patterns) => patterns.Count == 0 ? "nothing" : string.Join(' ', patterns);

    private void Add(IReadOnlyList<string> target)
    {
        var missing = target.Where(pattern => !_subscribed.Contains(pattern)).ToArray();
        int due = missing.Length;
        foreach (string pattern in missing)
        {
            commands.SendSubscription(
                (reply, _) =>
                {
                    if (reply.IsError)
                    {
                        Refused(reply, pattern);
                        return;
                    }

                    lock (_gate)
                        _subscribed.Add(pattern);
                    if (--due == 0)
                        TakeForce(target);
                },
                "PSUBSCRIBE",
                pattern);
        }

        if (missing.Length == 0)
            TakeForce(target);
    }

    /// <summary>The new patterns are subscribed to from here on: the old ones no longer count, and go.</summary>
    private void TakeForce(IReadOnlyList<string> target)
    {
        string[] old;
        lock (_gate)
        {
            _inForce = [.. target.Select(Encoding.ASCII.GetBytes)];
            _names = target;
            old = [.. _subscribed.Except(target)];
        }

        feed.Remedies.Set(FeedAspect.Subscription, null);
        int due = old.Length;
        foreach (string pattern in old)
        {
            commands.SendSubscription(
                (_, _) =>
                {
                    lock (_gate)
                        _subscribed.Remove(pattern);
                    if (--due == 0)
                        Done();
                },
                "PUNSUBSCRIBE",
                pattern);
        }

        if (old.Length == 0)
            Done();
    }

    private void Done()
    {
        lock (_gate)
            _isChanging = false;
        Step();
    }

    private void Refused(FeedReply reply, string pattern)
    {
        if (FeedErrors.IsPassing(reply))
        {
            end(new FeedFault(FeedFaultKind.ConnectFailed, $"the node does not take subscriptions at the moment: {FeedText.Clean(reply.Text)}"));
            return;
        }

        string remedy = $"PSUBSCRIBE {pattern} is refused: grant &{pattern} and +psubscribe to the user";
        feed.Remedies.Set(FeedAspect.Subscription, remedy);
        end(new FeedFault(FeedFaultKind.Refused, $"{remedy} ({FeedText.Clean(reply.Text)})"));
    }
}
