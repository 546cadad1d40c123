using KeyEvt.Simulation.Clock;

namespace KeyEvt.Simulation.Net;

/// <summary>
/// One direction of one connection. What is put in arrives in the same order, each a while later. While it may not pass (a partition, a frozen receiver), it waits.
/// </summary>
/// <param name="latency">Drawn anew for each.</param>
/// <param name="mayPass">Asked when something is due; after it has become true, <see cref="Resume"/> is called.</param>
internal sealed class Wire(VirtualTime time, Func<TimeSpan> latency, Func<bool> mayPass) : IDue
{
    private readonly Queue<(long At, int Bytes, Action Arrive)> _underWay = new();
    private long _last;
    private bool _isScheduled;
    private bool _isCut;

    /// <summary>Bytes that have not arrived.</summary>
    public long Bytes { get; private set; }

    public int Count => _underWay.Count;

    public void Put(Action arrive, int bytes = 0)
    {
        if (_isCut) return;

        _last = Math.Max(_last, time.Now + latency().Ticks);
        _underWay.Enqueue((_last, bytes, arrive));
        Bytes += bytes;
        Resume();
    }

    /// <summary>What is under way is lost, and nothing passes any more.</summary>
    public void Cut()
    {
        _isCut = true;
        DropAll();
    }

    /// <summary>What is under way is lost.</summary>
    public void DropAll()
    {
        _underWay.Clear();
        Bytes = 0;
    }

    public void Resume()
    {
        if (_isScheduled || _underWay.Count == 0) return;

        _isScheduled = true;
        time.At(_underWay.Peek().At, this);
    }

    public void Happen()
    {
        _isScheduled = false;
        if (_isCut || !mayPass()) return;

        while (_underWay.TryPeek(out var next) && next.At <= time.Now && mayPass())
        {
            _underWay.Dequeue();
            Bytes -= next.Bytes;
            next.Arrive();
        }

        Resume();
    }
}
