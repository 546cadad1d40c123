namespace KeyEvt.Forwarder.Group;

/// <summary>
/// Who delivers the events of a node's stream at each place, and up to where is everything settled? Computed from the group's messages in the order of
/// the stream, and from nothing else: no clock, no answers, no locks. So all members that have read the same messages agree without asking each other.
/// </summary>
/// <remarks>
/// <para>
/// A member that begins to listen does not know the state. It says <see cref="GroupMessage.Who"/>, and keeps what it hears until the state at the
/// place of that question is told; then it applies what it has heard behind it. If nobody answers, it says
/// <see cref="GroupMessage.FreshClaim"/>, and the state begins anew for all.
/// </para>
/// <para>
/// The rules are those of a model that was run through thousands of random histories. Three of them are there because simpler ones failed: a state
/// counts only as the answer to a question that was heard here; any claim, in force or void, ends all questions before it; and a fresh claim makes
/// those forget that knew more, as others could not know it.
/// </para>
/// <para>One instance for each subscription to a stream. Used by its read loop only.</para>
/// </remarks>
internal sealed class GroupState
{
    /// <summary>How many of the last marks say which rings reach back.</summary>
    public const int MarksKept = 12;

    /// <summary>How many open questions are kept. A group asks far less; what is above that is not kept, and is asked again.</summary>
    public const int MostPending = 64;

    /// <summary>How many messages are kept while the state is not known.</summary>
    public const int MostHeard = 1000;

    /// <summary>What was heard since the subscription, while the state is not known.</summary>
    private readonly List<GroupMessage> _heard = [];

    /// <summary>Questions that were not answered, and that no claim has ended.</summary>
    private readonly HashSet<MessageId> _pending = [];

    private readonly Queue<SeatMark> _marks = new();
    private MessageId _claim;
    private long _forgotten;

    /// <summary>Whether the state at this place is known. Until then the other properties say nothing.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>
    /// The number of the last message in the stream. It is the message's own number, or one more than the number before it, whichever is larger: the
    /// clocks of the members differ, and the numbers of a stream must rise.
    /// </summary>
    public long Marker { get; private set; }

    /// <summary>The claim in force, or the one that was in force last if its holder has resigned. Null while the state is not known.</summary>
    public MessageId? Claim => IsKnown ? _claim : null;

    /// <summary>The member that delivers from this place on; null: it has resigned, or the state is not known.</summary>
    public string? Holder { get; private set; }

    /// <summary>Everything up to here is settled: confirmed, stored, or counted as dropped.</summary>
    public StreamPlace Watermark { get; private set; }

    /// <summary>
    /// The fresh claim that the state began with, if its member knew nothing of an earlier holder; else no claim. Whoever knew the state before, and
    /// finds such a claim of which it did not know, has not been followed by anybody who knew what it knew.
    /// </summary>
    public MessageId Origin { get; private set; }

    /// <summary>
    /// What is behind it is not known to be settled: the watermark. If the holder has never told one, the place in front of the claim with which the group began: what its maker had heard before
    /// has the number before that claim.
    /// </summary>
    public StreamPlace SettledBefore => Watermark == default && Origin.Number > 0 ? new StreamPlace(Origin.Number - 1, 0) : Watermark;

    /// <summary>The version of the configuration in force.</summary>
    public long ConfigVersion { get; private set; }

    /// <summary>
    /// Set when an answer has made the state known: the number of the message at its place, and of each message since then, up to the answer itself.
    /// Null before that, and if a fresh claim has made it known.
    /// </summary>
    public LearnedState? Learned { get; private set; }

    /// <summary>Whether this question is open: neither answered, nor ended by a claim.</summary>
    public bool IsPending(MessageId question) => _pending.Contains(question);

    /// <summary>Which questions are open, in the order of their ids.</summary>
    public IReadOnlyList<MessageId> Pending => [.. _pending.Order()];

    /// <summary>What an answer to a question tells. Only while the state is known.</summary>
    public GroupSnapshot Snapshot() => new(Marker, _claim, Holder, Watermark, [.. _marks], Pending, ConfigVersion, Origin);

    /// <summary>Takes the next message of the stream in.</summary>
    /// <returns>The claim that has come into force by it; null: none has. An answer can bring several into force, and then it is the last one.</returns>
    public MessageId? Read(GroupMessage message)
    {
        if (IsKnown) return Apply(message);

        _heard.Add(message);
        if (_heard.Count > MostHeard)
        {
            _heard.RemoveAt(0);
            _forgotten++;
        }

        if (message is GroupMessage.StateOf state && _heard.FindIndex(heard => heard is GroupMessage.Who && heard.Id == state.Asked) is >= 0 and var asked)
        {
            return Learn(state.State, behind: asked);
        }

        // Questions and claims are judged by everybody, whether they know the state or not: a fresh claim makes it known to all.
        return message is GroupMessage.Who or GroupMessage.StateOf or GroupMessage.Claim or GroupMessage.FreshClaim ? Apply(message) : null;
    }

    private MessageId? Learn(GroupSnapshot state, int behind)
    {
        IsKnown = true;
        (Marker, _claim, Holder, Watermark, ConfigVersion, Origin) = (state.Marker, state.Claim, state.Holder, state.Watermark, state.ConfigVersion, state.Origin);
        _pending.Clear();
        _pending.UnionWith(state.Pending);
        _marks.Clear();
        foreach (var mark in state.Marks) _marks.Enqueue(mark);

        GroupMessage[] since = [.. _heard.Skip(behind + 1)];
        _heard.Clear();
        MessageId? inForce = null;
        var from = _forgotten + behind;
        List<long> markers = [Marker];
        foreach (var (index, message) in since.Index())
        {
            var claim = Apply(message);
            inForce = claim ?? inForce;
            if (claim is not null && message is GroupMessage.FreshClaim) (from, markers) = (_forgotten + behind + 1 + index, []);
            markers.Add(Marker);
        }

        Learned = new LearnedState(from, markers);
        return inForce;
    }

    private MessageId? Apply(GroupMessage message)
    {
        Marker = Math.Max(Marker + 1, message.Number);
        switch (message)
        {
            case GroupMessage.Who:
                if (_pending.Count < MostPending) _pending.Add(message.Id);
                return null;
            case GroupMessage.StateOf state:
                _pending.Remove(state.Asked);
                return null;
            case GroupMessage.Mark mark:
                See(mark);
                return null;
            case GroupMessage.Resign resign when IsHeldBy(resign.Member, resign.Ended):
                Holder = null;
                Settle(resign.Watermark);
                return null;
            case GroupMessage.Config config:
                if (config.Version > ConfigVersion && (config.Follows is not { } follows || follows == ConfigVersion))
                {
                    ConfigVersion = config.Version;
                }

                return null;
            case GroupMessage.Claim claim:
                return Judge(claim);
            case GroupMessage.FreshClaim claim:
                return Judge(claim);
            default:
                return null;
        }
    }

    private void See(GroupMessage.Mark mark)
    {
        if (mark.Holder is { } holder && IsHeldBy(mark.Member, holder.Claim)) Settle(holder.Watermark);
        if (mark.Reach is not { } reach) return;

        _marks.Enqueue(new SeatMark(mark.Member, reach));
        if (_marks.Count > MarksKept) _marks.Dequeue();
    }

    private MessageId? Judge(GroupMessage.Claim claim)
    {
        _pending.Clear();
        return IsKnown && claim.Follows == _claim && (ReachesBack(claim.Reach) || !OtherReachesBack(claim.Member)) ? Hold(claim) : null;
    }

    private MessageId? Judge(GroupMessage.FreshClaim claim)
    {
        // Whoever has not heard the question cannot know whether it was answered. It does not judge, and learns from an answer what is in force.
        var isPending = _pending.Contains(new MessageId(claim.Member, claim.AskedNumber));
        _pending.Clear();
        if (!isPending) return null;

        // Not what is known here, but what the claim says: those who know nothing must arrive at the same.
        IsKnown = true;
        // The number between is for what the claimant has heard before: behind all that is settled, and before the claim.
        Marker = Math.Max(claim.Number, claim.Kept.Marker + 2);
        (Watermark, ConfigVersion, Origin) = (claim.Kept, claim.ConfigVersion, claim.Kept == default ? claim.Id : default);
        _marks.Clear();
        _heard.Clear();
        return Hold(claim);
    }

    private MessageId Hold(GroupMessage claim)
    {
        (_claim, Holder) = (claim.Id, claim.Member);
        return claim.Id;
    }

    private bool IsHeldBy(string member, MessageId claim) => Holder == member && _claim == claim;

    private void Settle(StreamPlace watermark)
    {
        if (watermark > Watermark) Watermark = watermark;
    }

    private bool ReachesBack(StreamPlace reach) => reach <= Watermark;

    private bool OtherReachesBack(string member)
    {
        foreach (var mark in _marks)
        {
            if (mark.Member != member && ReachesBack(mark.Reach)) return true;
        }

        return false;
    }
}
