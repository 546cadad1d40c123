using System.Runtime.ExceptionServices;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// What do other threads want to run on the loop? The only thing of a loop that is locked. An eventfd wakes the loop; it is edge triggered, so it need not be
/// read. All posts run, in the order in which they came. A post that throws is a bug in the program. It is rethrown after the others have run, since they have
/// nothing to do with it.
/// </summary>
internal sealed unsafe class LoopPosts : LoopHandler
{
    private readonly Lock _gate = new();

    /// <summary>
    /// Guarded by the gate, as <see cref="_isClosed"/> is. <see cref="_running"/> is used on the loop's thread only, except for the exchange of the two lists,
    /// which takes the gate.
    /// </summary>
    private List<(Action<object> Run, object State)> _posted = [];
    private List<(Action<object> Run, object State)> _running = [];
    private bool _isClosed;

    public LoopPosts()
    {
        Fd = Libc.EventFd(0, Libc.CloseOnExec | Libc.NonBlocking);
        if (Fd < 0) throw Errno.ToException(System.Runtime.InteropServices.Marshal.GetLastSystemError());
    }

    public int Fd { get; }

    public bool TryPost(Action<object> run, object state)
    {
        lock (_gate)
        {
            if (_isClosed) return false;
            _posted.Add((run, state));
            if (_posted.Count > 1) return true; // the first post has already woken the loop
            ulong one = 1;
            Libc.Write(Fd, &one, sizeof(ulong));
            return true;
        }
    }

    public override void OnEvents(uint events)
    {
        lock (_gate) (_posted, _running) = (_running, _posted);
        ExceptionDispatchInfo? fault = null;
        foreach (var (run, state) in _running)
        {
            try
            {
                run(state);
            }
            catch (Exception e)
            {
                fault ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        _running.Clear();
        fault?.Throw();
    }

    /// <summary>Takes no more posts. Those that were taken are run, so that nobody waits for ever.</summary>
    public void Close()
    {
        lock (_gate) _isClosed = true;
        OnEvents(0);
    }

    public override void OnLoopEnded() => _ = Libc.Close(Fd);
}
