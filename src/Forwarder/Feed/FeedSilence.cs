namespace KeyEvt.Forwarder.Feed;

/// <summary>Has the node been silent for too long? Counted in beats without a single read while an answer is due.</summary>
/// <remarks>
/// Beats, not time: when this process itself was frozen, or had no processor, it comes back to one late beat and to a full socket, and
/// catches up instead of throwing a good connection away. Timer only.
/// </remarks>
internal sealed class FeedSilence(NodeFeedOptions options)
{
    private long _readsBefore = -1;
    private TimeSpan _silent;

    /// <exception cref="FeedFaultException">It has.</exception>
    public void Beat(long reads, bool isAnswerDue)
    {
        _silent = isAnswerDue && reads == _readsBefore ? _silent + options.MarkerInterval : TimeSpan.Zero;
        _readsBefore = reads;
        if (_silent >= options.MarkerDeadline)
            throw new FeedFaultException(FeedFaultKind.Silent, $"the node has been silent for {options.MarkerDeadline.TotalSeconds:0.#} s");
    }
}
