using KeyEvt.Forwarder.Feed.Handover;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>When does a member ask who delivers, when is the answer of others overdue, and when does it answer the questions of others?</summary>
/// <remarks>The holder answers at once; the others do so one after the other, if it does not. Used under the lock of the feed.</remarks>
internal sealed class StateQuestions(StreamMember member, PeerTable peers, MemberOrder order, MemberTimes times, TimeProvider time)
{
    private readonly Dictionary<MessageId, (GroupSnapshot State, long Since)> _unanswered = [];

    /// <summary>The number of the question that was asked last, and when it was said; null: none was.</summary>
    private (long Number, long SaidAt)? _asked;
    private long? _backAt; // when it came back; null: it has not

    /// <summary>The mark that was said when the answer was overdue.</summary>
    private (long Number, long SaidAt)? _probe;
    private long? _probeBackAt;

    /// <summary>The number of the own question, once it has come back and nobody has answered it for long; null: it is not so.</summary>
    public long? Overdue { get; private set; }

    public void Begin()
    {
        _unanswered.Clear();
        (_asked, _backAt, _probe, _probeBackAt, Overdue) = (null, null, null, null, null);
    }

    /// <summary>A message has been read, and has had its effect.</summary>
    /// <param name="isOwn">This program has said it, in this subscription.</param>
    public void Heard(GroupMessage message, bool isOwn)
    {
        var now = time.GetTimestamp();
        if (isOwn && _probe?.Number == message.Number) _probeBackAt = now;
        if (message is not GroupMessage.Who) return;

        if (isOwn && _asked?.Number == message.Number) _backAt = now;
        else if (!isOwn && member.IsKnown && _unanswered.Count < GroupState.MostPending) _unanswered[message.Id] = (member.Snapshot(), now);
    }

    /// <summary>While the state is not known: looks whether a question is to be asked, or the answer to it is overdue.</summary>
    /// <param name="isYoung">Somebody was there a moment ago, so an answer is waited for longer.</param>
    /// <returns>The question to ask now; null: none.</returns>
    public Func<long, GroupMessage>? Ask(bool isYoung)
    {
        var now = time.GetTimestamp();
        Overdue = null;
        var isLost = _asked is not { } asked || (_backAt is null ? Passed(asked.SaidAt, times.Again, now) : !member.IsPending(new MessageId(member.Name, asked.Number)));
        if (isLost) return number => Question(number, now);

        var wait = (isYoung ? times.AnswerIfYoung : times.Answer) + (times.Rank * Rank());
        if (order.IsAnotherPreferred(peers)) wait += times.AnotherPreferred;
        if (_backAt is not { } backAt || !Passed(backAt, wait, now)) return null;

        // The node may have been busy, with the answer waiting in it. A mark that is said now, and comes back before the answer, proves that it was not.
        if (_probe is not { } probe || (_probeBackAt is null && Passed(probe.SaidAt, times.Again, now)))
        {
            return number => Probe(number, now);
        }

        if (_probeBackAt is { } probeBackAt && Passed(probeBackAt, times.ProbeGrace, now)) Overdue = _asked!.Value.Number;
        return null;
    }

    private GroupMessage Question(long number, long now)
    {
        (_asked, _backAt, _probe, _probeBackAt) = ((number, now), null, null, null);
        return new GroupMessage.Who(member.Name, number);
    }

    private GroupMessage Probe(long number, long now)
    {
        (_probe, _probeBackAt) = ((number, now), null);
        return new GroupMessage.Mark(member.Name, number, null, false, null);
    }

    /// <summary>While the state is known: the answers that are due.</summary>
    public void AddAnswers(List<Func<long, GroupMessage>> due)
    {
        Overdue = null;
        var now = time.GetTimestamp();
        foreach (var (question, (state, since)) in _unanswered.ToList())
        {
            var isOpen = member.IsPending(question);
            if (isOpen && !member.IsHolder && !Passed(since, times.Rank * (Rank() + 1), now)) continue;

            _unanswered.Remove(question);
            if (isOpen) due.Add(number => new GroupMessage.StateOf(member.Name, number, question, state));
        }
    }

    private int Rank() => peers.There.Count(peer => order.IsBefore(peer.Name));

    private bool Passed(long since, TimeSpan span, long now) => time.GetElapsedTime(since, now) >= span;
}
