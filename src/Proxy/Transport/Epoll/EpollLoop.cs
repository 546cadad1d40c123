using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// One thread that waits for all of its descriptors at once, and runs everything that belongs to them: receiving, the sessions' pumps, sending.
/// <code>
/// turn = wait; call who asked for it; tell each descriptor's handler, posts among them; send what was written; close what has ended
/// </code>
/// Nothing of it is locked or shared but the list of what other threads post. Why not the runtime's own sockets: they hand every completion to a pool
/// thread, and know no end of a turn; figures in bench/RESULTS.md. A handler that throws is a fault of this program; the loop then ends, and
/// says so by <see cref="Completion"/>.
/// </summary>
internal sealed unsafe class EpollLoop
{
    /// <summary>
    /// What one wait may report; the rest waits for the next. Each may hold a block until the turn's end: with few they stay in the processor's cache, and the pool
    /// has them. With 512 the CPU a request at 500 clients was 1.21 of HAProxy's, with 64 it is 0.93 (bench/RESULTS.md).
    /// </summary>
    private const int MaxEvents = 64;

    // struct epoll_event is packed on x64 only: uint events, then 8 bytes of ours.
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataAt = EventBytes - 8;

    [ThreadStatic]
    private static EpollLoop? _current;

    private readonly int _epoll;
    private readonly byte* _events;
    private readonly LoopPosts _posts;
    private readonly Thread _thread;
    private int _threadId;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Stack<int> _freeSlots = new();
    private LoopHandler?[] _handlers = new LoopHandler?[64];
    private int _slots;
    private readonly SendList _toClients = new();
    private readonly SendList _toUpstreams = new();
    private List<LoopHandler> _next = [];
    private List<LoopHandler> _now = [];
    private readonly List<(int Fd, int Slot)> _toClose = [];
    private bool _isStopping;

    public int KeepAliveSeconds { get; }

    public TimeProvider Time { get; }

    /// <summary>For tests: the errno with which the kernel refuses to watch another descriptor, as it will not on demand; 0: it does not.</summary>
    public int Refusal { get; set; }

    /// <param name="keepAliveSeconds">Of its TCP connections, see <see cref="SocketSettings"/>.</param>
    public EpollLoop(string name, int keepAliveSeconds, TimeProvider time)
    {
        (KeepAliveSeconds, Time) = (keepAliveSeconds, time);
        _epoll = Check(Libc.EpollCreate(Libc.CloseOnExec));
        _events = (byte*)NativeMemory.Alloc((nuint)(MaxEvents * EventBytes));
        _posts = new LoopPosts();
        Add(_posts, _posts.Fd, Libc.In);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _threadId = _thread.ManagedThreadId;
        _thread.Start();
    }

    /// <summary>The loop whose thread this is; null on any other.</summary>
    public static EpollLoop? Current => _current;

    /// <summary>This is its thread, and it has not ended.</summary>
    public bool IsCurrent => Environment.CurrentManagedThreadId == _threadId;

    public BlockPool Blocks { get; } = new();

    /// <summary>Counts turns, so that a busy connection can see that its share of this one is used up.</summary>
    public int TurnNumber { get; private set; }

    /// <summary>Faults when the loop has died, ends when it was stopped.</summary>
    public Task Completion => _ended.Task;

    /// <summary>From any thread: has it run on the loop's, after what was posted before. False: the loop has ended.</summary>
    public bool TryPost(Action<object> run, object state) => _posts.TryPost(run, state);

    public LoopSwitch SwitchAsync() => new(this);

    /// <summary>Ends the loop after its present turn.</summary>
    public Task StopAsync()
    {
        TryPost(static loop => ((EpollLoop)loop)._isStopping = true, this);
        return Completion;
    }

    /// <summary>Watches a descriptor, edge triggered, until <see cref="Remove"/>.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel does not: it is short of memory, or of watches (<c>max_user_watches</c>). Nothing has changed then; the descriptor is the caller's to close.</exception>
    public void Add(LoopHandler handler, int fd, uint events)
    {
        if (!_freeSlots.TryPop(out var slot))
        {
            slot = _slots++;
            if (slot == _handlers.Length) Array.Resize(ref _handlers, 2 * slot);
        }

        var errno = Refusal != 0 ? Refusal : Control(Libc.Add, fd, slot, events);
        if (errno != 0)
        {
            _freeSlots.Push(slot);
            throw Errno.ToException(errno);
        }

        handler.Slot = slot;
        _handlers[slot] = handler;
    }

    /// <summary>False: the kernel refuses.</summary>
    public bool TryWatch(LoopHandler handler, int fd, uint events) => Control(Libc.Modify, fd, handler.Slot, events) == 0;

    /// <summary>What nobody waits for: its fault is one of the loop, which ends with it.</summary>
    public void Observe(Task task) =>
        _ = task.ContinueWith(
            static (faulted, loop) => ((EpollLoop)loop!).TryPost(static fault => ExceptionDispatchInfo.Throw((Exception)fault), faulted.Exception!.InnerException!),
            this, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>From now on another handler is told.</summary>
    public void Replace(LoopHandler handler, LoopHandler by)
    {
        by.Slot = handler.Slot;
        _handlers[by.Slot] = by;
    }

    /// <summary>No more is told; at the end of the turn, when no event of this descriptor can be left, it is closed.</summary>
    /// <param name="handler">Its slot is free then.</param>
    /// <param name="fd">-1: somebody else closes it, later than this call.</param>
    public void Remove(LoopHandler handler, int fd)
    {
        _handlers[handler.Slot] = null;
        _ = Libc.EpollControl(_epoll, Libc.Delete, fd, null); // closing alone would not do while a child process is being started
        _toClose.Add((fd, handler.Slot));
        handler.Slot = -1;
    }

    /// <summary>At the end of the turn: replies before requests. Measured: 0.92 of the CPU a request that sending in the order of writing costs (bench/RESULTS.md).</summary>
    /// <param name="writer">Not in the list yet.</param>
    /// <param name="isToClient">Its connection was accepted, not made.</param>
    public void SendLater(EpollWriter writer, bool isToClient) => (isToClient ? _toClients : _toUpstreams).Add(writer);

    /// <summary>Calls it again in the next turn, which comes at once.</summary>
    public void CallInNextTurn(LoopHandler handler) => _next.Add(handler);

    private void Run()
    {
        _current = this;
        ExecutionContext.SuppressFlow(); // continuations then run without one: nothing here uses async-local values
        Exception? fault = null;
        try
        {
            while (!_isStopping) Turn();
        }
        catch (Exception e)
        {
            fault = e;
        }

        End(fault);
    }

    /// <summary>A method of its own, so that the runtime can replace it by a better compiled one between two turns.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Turn()
    {
        var count = Libc.EpollWait(_epoll, _events, MaxEvents, _toClients.IsEmpty && _toUpstreams.IsEmpty && _next.Count == 0 ? -1 : 0);
        if (count < 0 && Marshal.GetLastSystemError() is not Errno.Interrupted and var errno) throw Errno.ToException(errno);
        TurnNumber++;
        if (_next.Count > 0) CallNext(); // before the events: what they add is for the turn after this one
        for (var at = _events; count > 0; count--, at += EventBytes) _handlers[*(int*)(at + DataAt)]?.OnEvents(*(uint*)at);
        _toClients.Send();
        _toUpstreams.Send();
        if (_toClose.Count > 0) Close();
    }

    private void CallNext()
    {
        (_now, _next) = (_next, _now);
        foreach (var handler in _now) handler.OnNextTurn();
        _now.Clear();
    }

    private void Close()
    {
        foreach (var (fd, slot) in _toClose)
        {
            if (fd >= 0) _ = Libc.Close(fd);
            _freeSlots.Push(slot);
        }

        _toClose.Clear();
    }

    /// <summary>0, or the errno.</summary>
    private int Control(int operation, int fd, int slot, uint events)
    {
        var epollEvent = stackalloc byte[16];
        *(uint*)epollEvent = events | Libc.EdgeTriggered;
        *(long*)(epollEvent + DataAt) = slot;
        return Libc.EpollControl(_epoll, operation, fd, epollEvent) < 0 ? Marshal.GetLastSystemError() : 0;
    }

    private void End(Exception? fault)
    {
        _threadId = -1;
        Try(_posts.Close);
        foreach (var handler in _handlers)
        {
            if (handler is not null) Try(handler.OnLoopEnded); // the others are told all the same
        }

        Close();
        _ = Libc.Close(_epoll);
        NativeMemory.Free(_events);
        if (fault is null) _ended.SetResult();
        else _ended.SetException(fault);

        void Try(Action step)
        {
            try
            {
                step();
            }
            catch (Exception e)
            {
                fault ??= e;
            }
        }
    }

    private static int Check(int result) => result >= 0 ? result : throw Errno.ToException(Marshal.GetLastSystemError());
}
