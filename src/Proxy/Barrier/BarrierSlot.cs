using System.IO.Pipelines;

namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// Which barrier is the reply pump to look for? The one thing the two pumps of a session share: the request pump arms before it flushes,
/// so the barrier stands here before its first line can arrive; the reply pump takes it out and wakes the request pump.
/// </summary>
internal sealed class BarrierSlot(PipeReader waitingReader)
{
    private readonly Lock _gate = new();
    private volatile ReplyBarrier? _armed;
    private bool _repliesEnded;

    /// <summary>Null nearly always.</summary>
    public ReplyBarrier? Armed => _armed;

    public void Arm(ReplyBarrier barrier)
    {
        lock (_gate)
        {
            if (!_repliesEnded) _armed = barrier;
            else barrier.Complete(BarrierEnd.Lost);
        }
    }

    public void Disarm(BarrierEnd end)
    {
        var barrier = _armed;
        _armed = null;
        Wake(barrier, end);
    }

    /// <summary>No more replies will come: nobody shall wait for a place among them.</summary>
    public void Close()
    {
        ReplyBarrier? barrier;
        lock (_gate)
        {
            _repliesEnded = true;
            barrier = _armed;
            _armed = null;
        }

        Wake(barrier, BarrierEnd.Lost);
    }

    /// <summary>The request pump waits on the client's bytes meanwhile: that read returns, and it looks at the barrier. In this order, or it would look too early.</summary>
    private void Wake(ReplyBarrier? barrier, BarrierEnd end)
    {
        barrier?.Complete(end);
        waitingReader.CancelPendingRead();
    }
}
