using System.IO.Pipelines;

namespace KeyEvt.Proxy.Barrier;

/// <summary>
/// Which barrier is the reply pump to look for? Besides a few flags of the session, the only thing that its two pumps share. The request pump arms a barrier
/// before it flushes the barrier's commands, so the barrier is here before its first line can arrive. The reply pump takes the barrier out and wakes the
/// request pump.
/// </summary>
internal sealed class BarrierSlot(PipeReader waitingReader)
{
    private readonly Lock _gate = new();

    /// <summary>Set by the request pump, cleared by the reply pump. Arming and closing exclude each other by the gate; reading needs only volatile.</summary>
    private volatile ReplyBarrier? _armed;

    /// <summary>Guarded by the gate.</summary>
    private bool _repliesEnded;

    /// <summary>The barrier to look for. Nearly always null.</summary>
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

    /// <summary>Called when no more replies will come. A barrier that is armed, or is armed later, ends as <see cref="BarrierEnd.Lost"/>.</summary>
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

    /// <summary>
    /// Ends the barrier and then wakes the request pump's read of the client, on which the request pump waits. In this order, or the pump would look at the
    /// barrier too early.
    /// </summary>
    private void Wake(ReplyBarrier? barrier, BarrierEnd end)
    {
        barrier?.Complete(end);
        waitingReader.CancelPendingRead();
    }
}
