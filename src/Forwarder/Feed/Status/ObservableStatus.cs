using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Feed.Status;

/// <summary>What does a feed show of itself? The rarely changing part of its status, and a signal for those who wait for a change. Thread safe.</summary>
internal sealed class ObservableStatus(NodeFeedStatus first)
{
    private readonly Lock _gate = new();
    private NodeFeedStatus _status = first;
    private readonly ChangeSignal _changed = new();

    public NodeFeedStatus Status
    {
        get
        {
            lock (_gate) return _status;
        }
    }

    /// <summary>A task that completes at the next change after it was read.</summary>
    public Task Changed => _changed.Next;

    public void Change(Func<NodeFeedStatus, NodeFeedStatus> change)
    {
        lock (_gate)
        {
            var next = change(_status);
            if (next == _status) return;

            _status = next;
        }

        _changed.Signal();
    }
}
