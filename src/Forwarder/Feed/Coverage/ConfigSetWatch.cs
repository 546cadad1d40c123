namespace KeyEvt.Forwarder.Feed.Coverage;

/// <summary>May the flags have been taken away and given back between two checks that both found them set?</summary>
/// <remarks>
/// That takes two CONFIG SETs, whatever they set: one by others that takes a flag away, and one that gives it back, by others or by this program as it
/// adds letters. After a single one the second check would find the flag missing. A check asks for the flags first and then for the counts, and commands of others may come between the two. So
/// the CONFIG SETs between two answers with the flags lie within the last two intervals between counts. Shared by the connections of a feed; read
/// loop only.
/// </remarks>
internal sealed class ConfigSetWatch
{
    private string _runId = "";
    private ConfigCalls? _last;
    private long _own;
    private long _givenBack;
    private long _othersBefore;

    /// <summary>Called when our own CONFIG SET was carried out. Behind it the flags are known to be set.</summary>
    /// <param name="mayHide">
    /// The look before has found set what was wanted until then. If others have taken that away since the look, it is given back, and no look finds it missing.
    /// </param>
    public void OwnSet(bool mayHide = false)
    {
        _own++;
        if (mayHide) _givenBack++;
        else (_othersBefore, _givenBack) = (0, 0);
    }

    /// <summary>Whether others gave at least one CONFIG SET between the last two checks.</summary>
    public bool OthersSet => _othersBefore > 0;

    /// <param name="runId">The node's run id. Another process counts from 0 again.</param>
    /// <param name="now">The counts; null if they are not known, so that nothing can be concluded.</param>
    /// <param name="why">The reason in words, if the flags may have been away.</param>
    public bool MayHaveBeenAway(string runId, ConfigCalls? now, out string why)
    {
        var last = runId == _runId ? _last : null;
        (_runId, _last, why) = (runId, now, "");
        var (own, givenBack) = (_own, _givenBack);
        (_own, _givenBack) = (0, 0);
        if (now is not { } calls || last is not { } before)
        {
            _othersBefore = 0;
            return false;
        }

        // Each check is a CONFIG GET itself. If the count has not grown, the statistics were reset.
        if (calls.Sets < before.Sets || calls.Gets <= before.Gets)
        {
            _othersBefore = 0;
            why = "the command statistics were reset, so that nobody knows whether notify-keyspace-events was changed meanwhile";
            return true;
        }

        var others = Math.Max(0, calls.Sets - before.Sets - own);
        var both = others + _othersBefore;
        var mayHave = both > 0 && both + givenBack > 1 && others + givenBack > 0;
        _othersBefore = others;
        why = !mayHave ? ""
            : both > 1 ? "others gave CONFIG SET at least twice between two looks at notify-keyspace-events: it may have been changed and changed back"
            : "others gave CONFIG SET before this program added letters to notify-keyspace-events: it may have been changed until then";
        return mayHave;
    }
}
