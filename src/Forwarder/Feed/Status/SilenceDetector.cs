using KeyEvt.Forwarder.Feed.Context;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>Has a connection been silent for too long? Counted in beats without a single read while an answer is due.</summary>
/// <remarks>
/// Beats, not time: when this process itself was frozen, or had no processor, it comes back to one late beat and to a full socket, and
/// catches up instead of suspecting a good connection. Used under <see cref="FeedContext.Turn"/>.
/// </remarks>
internal sealed class SilenceDetector(NodeFeedOptions options)
{
    private long _reads = -1;
    private volatile TaskCompletionSource _begun = NewSignal();
    private volatile TaskCompletionSource _ended = NewSignal();

    /// <summary>It lasts for the deadline already, and nothing was read since.</summary>
    public bool IsOn { get; private set; }

    public TimeSpan Lasted { get; private set; }

    /// <summary>Completes when a silence begins. Any thread.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Of the silence that has begun: completes when something is read. Any thread.</summary>
    public Task Ended => _ended.Task;

    /// <returns>True: with this beat a silence begins.</returns>
    public bool Beat(long reads, bool isAnswerDue)
    {
        Lasted = reads == _reads && isAnswerDue ? Lasted + options.MarkerInterval : TimeSpan.Zero;
        _reads = reads;
        if (IsOn || Lasted < options.MarkerDeadline) return false;

        IsOn = true;
        _ended = NewSignal();
        _begun.TrySetResult();
        return true;
    }

    /// <summary>It is on, and not one read has come about that has not been handled yet.</summary>
    public bool IsUnbroken(long reads) => IsOn && reads == _reads;

    /// <summary>Something was read.</summary>
    public void End()
    {
        (IsOn, Lasted) = (false, TimeSpan.Zero);
        _begun = NewSignal();
        _ended.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
