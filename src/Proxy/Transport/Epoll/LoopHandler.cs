namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>Who is told what happened to one descriptor? Called on the loop's thread only.</summary>
internal abstract class LoopHandler
{
    /// <summary>The handler's index in the loop's table, set by <see cref="EpollLoop.Add"/>; -1: it is not in the table.</summary>
    public int Slot { get; set; } = -1;

    /// <param name="events">The events as epoll reports them. Edge triggered, so each is reported only once.</param>
    public abstract void OnEvents(uint events);

    /// <summary>Called because the handler asked for it, by <see cref="EpollLoop.CallInNextTurn"/>.</summary>
    public virtual void OnNextTurn()
    {
    }

    /// <summary>The loop ends and will call no handler again. The handler closes its descriptors and completes whatever somebody waits for.</summary>
    public abstract void OnLoopEnded();
}
