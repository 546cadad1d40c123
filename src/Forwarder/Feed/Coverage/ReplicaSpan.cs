using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>What was not heard of a node while it was a replica? It is missed only if the node turns out to have been a master meanwhile.</summary>
/// <remarks>Not thread safe: <see cref="FeedCoverage"/> calls it under its own lock.</remarks>
/// <param name="begun">When the feed was made. Nothing was known of the node before.</param>
internal sealed class ReplicaSpan(ClockReading begun)
{
    private static readonly RedisFault NotHeardInTime = new(RedisFaultKind.Closed, "the node could not be heard");
    private static readonly RedisFault NeverHeard = new(RedisFaultKind.Closed, "the node was named as the master for a while, and was not heard as one");

    /// <summary>If the node has not said that it is a replica: since when nothing is known of it.</summary>
    private ClockReading _begun = begun;

    /// <summary>A loss of the connection. It becomes a gap if the node is promoted before it has said on a covered connection that it is a replica.</summary>
    private Loss? _loss;

    /// <summary>When the node was not heard before it last said that it is a replica. If the topology names it later as a master, it may have been one in that time.</summary>
    private (ClockReading From, ClockReading To) _unheard;

    /// <summary>What is missed if the node, which was replaced, does not answer any more.</summary>
    private Loss? _unproven;

    /// <summary>Flags that were found missing since the node last said that it is a replica; null: none were. They are missed if it has been promoted meanwhile.</summary>
    private (string Detail, ClockReading From, EventPosition Last)? _lacked;

    /// <summary>The last question that was answered with "slave", and the position then; null if the node was a master since.</summary>
    private (ClockReading AskedAt, EventPosition Position)? _said;

    /// <summary>When the topology named the node as a master, and since when nobody knows what it sends; null if it did not, or the node has said so itself.</summary>
    private (ClockReading At, ClockReading From, EventPosition Last, Func<bool>? IsMissed)? _named;

    /// <summary>Whether the last answer was "slave".</summary>
    public bool IsSaid => _said is not null;

    /// <summary>Whether the topology has named it as a master, and it was not heard as one.</summary>
    public bool IsNamed => _named is not null;

    /// <summary>Notes a loss. An earlier one stays.</summary>
    public void Lost(Loss loss) => _loss ??= loss;

    /// <summary>Notes that nothing is known of the node since then. An earlier loss stays.</summary>
    public void NotHeard(ClockReading since, EventPosition last) => Lost(new Loss(NotHeardInTime, since, last));

    /// <summary>
    /// Notes a new subscription of a node that has just said that it is a replica. It may have been promoted since then, and before the subscription: that stays a loss until
    /// the node says once more that it is a replica.
    /// </summary>
    public void Subscribed(EventPosition position)
    {
        if (_said is { } asked) Forgive(asked.AskedAt);
        _loss = _said is { } said ? new Loss(_loss?.Fault ?? NotHeardInTime, said.AskedAt, _loss?.Last ?? position) : null;
    }

    /// <summary>Notes that the node says that it is a replica.</summary>
    /// <param name="isCovered">Whether the subscription was confirmed before the question was sent.</param>
    /// <returns>What it sent while it was named as a master, and nobody has heard; null if there is nothing.</returns>
    public Loss? Said(ClockReading askedAt, EventPosition position, bool isCovered)
    {
        _said = (askedAt, position);
        if (isCovered)
        {
            Forgive(askedAt);
            _loss = null;
        }

        return _named is { } named && named.At.Timestamp <= askedAt.Timestamp ? TakeUnheard() : null;
    }

    /// <summary>Notes that the node is a master by its own word. What came before it was heard is not known yet, if it may be missed.</summary>
    public void IsMaster() => (_said, _named) = (null, _named is { IsMissed: not null } ? _named : null);

    /// <summary>Notes that another node has taken its place and is heard.</summary>
    /// <param name="unproven">What is missed if it does not answer any more; null: nothing, or it is declared already.</param>
    public void Replaced(ClockReading now, Loss? unproven) => (_begun, _unproven) = (now, unproven);

    /// <summary>Returns what is missed because it has not answered since it was replaced; null: it has.</summary>
    /// <param name="proven">When the last question was sent that it has answered.</param>
    public Loss? TakeUnproven(ClockReading proven)
    {
        var unproven = proven.Timestamp < _begun.Timestamp ? _unproven : null;
        _unproven = null;
        return unproven;
    }

    /// <summary>Notes that the topology names the node as a master.</summary>
    /// <param name="isMissed">See <see cref="FeedCoverage.Named"/>.</param>
    /// <param name="since">See <see cref="FeedCoverage.Named"/>.</param>
    public void Named(ClockReading now, EventPosition position, Func<bool>? isMissed, ClockReading since)
    {
        var from = _said?.AskedAt ?? _begun;
        if (_unheard.To.Timestamp > since.Timestamp && _unheard.From.Timestamp < from.Timestamp) from = _unheard.From;
        _named ??= (now, from, _said?.Position ?? position, isMissed);
    }

    /// <summary>The node was replaced and took the place again, and nobody has heard it. What it sent until now is declared. It is missed, whoever named it first.</summary>
    public void NamedAgain(ClockReading now)
    {
        if (_named is { } named) _named = (now, now, named.Last, null);
    }

    /// <summary>Notes that flags are missing. What was found first stays.</summary>
    public void LacksFlags(string detail, ClockReading from, EventPosition last) => _lacked ??= (detail, from, last);

    /// <summary>Returns the flags that a promoted node has lacked while it was held back. They are forgotten if the node is a replica, and has them now.</summary>
    public (string Detail, ClockReading From, EventPosition Last)? TakeLacked(bool isHeld, bool hasFlags)
    {
        var lacked = isHeld ? null : _lacked;
        if (!isHeld || hasFlags) _lacked = null;
        return lacked;
    }

    public Loss? TakeUnheard()
    {
        if (_named is not { } named) return null;

        _named = null;
        return named.IsMissed?.Invoke() != false ? new Loss(NeverHeard, named.From, named.Last) : null;
    }

    public Loss? TakeLoss()
    {
        var loss = _loss;
        _loss = null;
        return loss;
    }

    /// <summary>The node says that it is a replica, so the loss until then is none.</summary>
    private void Forgive(ClockReading until)
    {
        if (_loss is { } loss) _unheard = (loss.From.Timestamp <= _unheard.To.Timestamp ? _unheard.From : loss.From, until);
    }
}
