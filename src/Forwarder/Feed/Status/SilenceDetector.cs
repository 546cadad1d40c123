using KeyEvt.Forwarder.Feed.Context;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>Has a connection been silent for too long? Counted in beats without any read while an answer is due.</summary>
/// <remarks>
/// It counts beats and not time. If this process itself was frozen, or had no processor, it finds one late beat and a full socket. It then catches up
/// instead of suspecting a good connection. Used under <see cref="FeedContext.Turn"/>; NodeFeed also reads <see cref="IsOn"/> without the lock.
/// </remarks>
internal sealed class SilenceDetector(NodeFeedOptions options)
{
    private long _reads = -1;
    private volatile bool _isOn;
    private volatile TaskCompletionSource _begun = NewSignal();
    private volatile TaskCompletionSource _ended = NewSignal();

    /// <summary>Whether the silence has lasted for the deadline, and nothing was read since.</summary>
    public bool IsOn => _isOn;

    public TimeSpan Lasted { get; private set; }

    /// <summary>Completes when a silence begins. Any thread.</summary>
    public Task Begun => _begun.Task;

    /// <summary>Completes when something is read after the silence that has begun. Any thread.</summary>
    public Task Ended => _ended.Task;

    /// <returns>True if a silence begins with this beat.</returns>
    public bool Beat(long reads, bool isAnswerDue)
    {
        Lasted = reads == _reads && isAnswerDue ? Lasted + options.MarkerInterval : TimeSpan.Zero;
        _reads = reads;
        if (IsOn || Lasted < options.MarkerDeadline) return false;

        _isOn = true;
        _ended = NewSignal();
        _begun.TrySetResult();
        return true;
    }

    /// <summary>Whether the connection is silent, and no read has come that has not been handled yet.</summary>
    public bool IsUnbroken(long reads) => IsOn && reads == _reads;

    /// <summary>Called when something was read.</summary>
    public void End()
    {
        (_isOn, Lasted) = (false, TimeSpan.Zero);
        _begun = NewSignal();
        _ended.TrySetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
