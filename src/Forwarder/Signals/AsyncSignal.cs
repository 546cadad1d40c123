using System.Threading.Tasks.Sources;

namespace KeyEvt.Forwarder.Signals;

/// <summary>
/// How does one loop sleep until somebody has something for it? An auto-reset signal with one waiter that allocates nothing. Setting it twice before
/// the next wait wakes the waiter once.
/// </summary>
internal sealed class AsyncSignal : IValueTaskSource
{
    /// <summary>
    /// Guards the two flags. Of several calls of Set, the one that clears <see cref="_isAwaited"/> completes <see cref="_core"/>, after it has left
    /// the lock.
    /// </summary>
    private readonly Lock _gate = new();
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private bool _isSet;
    private bool _isAwaited;

    public void Set() => Set(inline: false);

    /// <summary>
    /// Like <see cref="Set()"/>, but the waiter continues within this call. For callers that hold no lock and have nothing else to do. At full speed
    /// the publisher sleeps before most messages, and a change of threads each time would cost more than publishing.
    /// </summary>
    public void SetAndRun() => Set(inline: true);

    private void Set(bool inline)
    {
        lock (_gate)
        {
            if (!_isAwaited)
            {
                _isSet = true;
                return;
            }

            _isAwaited = false;
        }

        _core.RunContinuationsAsynchronously = !inline;
        _core.SetResult(true);
    }

    /// <summary>Completes at the next <see cref="Set()"/>, or at once if it was set since the last wait.</summary>
    public ValueTask WaitAsync()
    {
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return ValueTask.CompletedTask;
            }

            if (_isAwaited) throw new InvalidOperationException("The signal has one waiter.");

            _core.Reset();
            _isAwaited = true;
            return new ValueTask(this, _core.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
