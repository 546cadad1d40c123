using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>What was not heard of a node while other members of the group could go on? It becomes a gap if it turns out that none did.</summary>
/// <remarks>Not thread safe: <see cref="FeedCoverage"/> calls it under its own lock.</remarks>
internal sealed class GroupSpan
{
    private Loss? _loss;

    /// <summary>Whether something else was missed while a judgement was awaited, such as flags. The others may have missed those events too, so nothing is withdrawn.</summary>
    private bool _hasMissedMore;

    /// <summary>Whether it is not known yet if other members have heard the stream meanwhile.</summary>
    public bool IsAwaited { get; private set; }

    /// <summary>Whether the connection was lost.</summary>
    public bool IsLost => _loss is not null;

    public void Await() => IsAwaited = true;

    /// <summary>Notes a loss. An earlier one stays.</summary>
    public void Lost(Loss? loss) => _loss ??= loss;

    public void MissedToo() => _hasMissedMore |= IsAwaited;

    /// <summary>Lets the loss begin earlier. Does nothing if it already begins earlier.</summary>
    public void ReachBack(ClockReading from, EventPosition last)
    {
        if (_loss is { } loss && from.Timestamp < loss.From.Timestamp) _loss = loss with { From = from, Last = last };
    }

    public Loss? Take()
    {
        var loss = _loss;
        _loss = null;
        return loss;
    }

    /// <summary>It is known now.</summary>
    /// <returns>The loss, and whether a gap that is open may be withdrawn if the others have heard the stream.</returns>
    public (Loss? Loss, bool MayWithdraw) Judge()
    {
        var mayWithdraw = !_hasMissedMore;
        (IsAwaited, _hasMissedMore) = (false, false);
        return (Take(), mayWithdraw);
    }
}
