namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>May the flags have been taken away and given back between two looks that both found them?</summary>
/// <remarks>
/// That takes two CONFIG SETs by others, whatever they set: one that takes away, and one that gives back. One alone would have left its trace at the second look.
/// A look asks for the flags first and for the counts behind them, and commands of others may come between the two. So the sets between two answers with the flags
/// lie within the last two intervals between counts. Shared by the connections of a feed; read loop only.
/// </remarks>
internal sealed class ConfigSetWatch
{
    private string _runId = "";
    private ConfigCalls? _last;
    private long _own;
    private long _othersBefore;

    /// <summary>A CONFIG SET of our own was carried out: the flags are known to be there behind it.</summary>
    public void OwnSet()
    {
        _own++;
        _othersBefore = 0;
    }

    /// <summary>Others gave one at least between the last two looks.</summary>
    public bool OthersSet => _othersBefore > 0;

    /// <param name="runId">Another process counts anew.</param>
    /// <param name="now">Null: not known; then nothing can be said.</param>
    /// <param name="why">In words, when they may have been away.</param>
    public bool MayHaveBeenAway(string runId, ConfigCalls? now, out string why)
    {
        var last = runId == _runId ? _last : null;
        (_runId, _last, why) = (runId, now, "");
        var own = _own;
        _own = 0;
        if (now is not { } calls || last is not { } before)
        {
            _othersBefore = 0;
            return false;
        }

        // Each look is a CONFIG GET itself: a count that has not risen begins anew.
        if (calls.Sets < before.Sets || calls.Gets <= before.Gets)
        {
            _othersBefore = 0;
            why = "the command statistics were reset, so that nobody knows whether notify-keyspace-events was changed meanwhile";
            return true;
        }

        var others = Math.Max(0, calls.Sets - before.Sets - own);
        var mayHave = others > 0 && others + _othersBefore > 1;
        _othersBefore = others;
        why = mayHave ? "others gave CONFIG SET at least twice between two looks at notify-keyspace-events: it may have been changed and changed back" : "";
        return mayHave;
    }
}
