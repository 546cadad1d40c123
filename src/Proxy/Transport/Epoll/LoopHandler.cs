namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>Who is told what happened to one descriptor? Called on the loop's thread only.</summary>
internal abstract class LoopHandler
{
    /// <summary>Its place in the loop's table; set by <see cref="EpollLoop.Add"/>.</summary>
    public int Slot { get; set; } = -1;

    /// <param name="events">As epoll reports them; edge triggered, so each only once.</param>
    public abstract void OnEvents(uint events);

    /// <summary>It asked to be called in the next turn.</summary>
    public virtual void OnNextTurn()
    {
    }

    /// <summary>The loop ends and will call nobody again: descriptors are closed, and nobody may be left waiting.</summary>
    public abstract void OnLoopEnded();
}
