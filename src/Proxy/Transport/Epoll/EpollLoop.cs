using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// One thread that waits for all of its descriptors at once, and runs everything that belongs to them: receiving, the sessions' pumps, sending. One turn of the
/// loop is:
/// <code>
/// turn = wait for events; call the handlers that asked for this turn; tell the handler of each ready descriptor, LoopPosts among them;
///        send what was written; close what has ended
/// </code>
/// Only the list of what other threads post is shared and locked. Why not the runtime's own sockets: they hand every completion to a pool thread, and have no
/// end of a turn at which to send; the figures are in bench/RESULTS.md. A handler that throws is a bug in this program. The loop then ends, and
/// <see cref="Completion"/> faults.
/// </summary>
internal sealed unsafe class EpollLoop
{
    /// <summary>
    /// How many events one wait may report; the others are reported by the next wait. Each event may use a block until the end of the turn. With few events
    /// these blocks stay in the processor's cache and the pool has enough of them. At 500 clients, the CPU per request was 1.21 times HAProxy's with 512
    /// events, and is 0.93 times with 64 (bench/RESULTS.md).
    /// </summary>
    private const int MaxEvents = 64;

    // struct epoll_event is packed on x64 only: a uint with the events, then 8 bytes for the program's own use.
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataAt = EventBytes - 8;

    [ThreadStatic]
    private static EpollLoop? _current;

    private readonly int _epoll;
    private readonly byte* _events;
    private readonly LoopPosts _posts;
    private readonly Thread _thread;

    /// <summary>
    /// Id of the loop's thread; -1 once the loop has ended. Written before the thread starts and by the thread itself. Any thread may read it without a lock:
    /// only the loop's own thread can find its own id here.
    /// </summary>
    private int _threadId;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The fields from here on, and <see cref="TurnNumber"/> and <see cref="Blocks"/>, are used on the loop's thread only.</summary>
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

    /// <summary>
    /// For tests: the errno with which watching another descriptor fails, as the kernel does not fail on demand; 0: it works. Set by a test's thread, read by
    /// the loop's.
    /// </summary>
    public int Refusal { get; set; }

    /// <param name="keepAliveSeconds">For its TCP connections, see <see cref="SocketSettings.KeepAliveSeconds"/>.</param>
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

    /// <summary>The loop whose thread is the calling one; null on any other thread.</summary>
    public static EpollLoop? Current => _current;

    /// <summary>The calling thread is the loop's, and the loop has not ended.</summary>
    public bool IsCurrent => Environment.CurrentManagedThreadId == _threadId;

    public BlockPool Blocks { get; } = new();

    /// <summary>The number of the current turn. A busy connection sees by it whether its share of this turn is used up.</summary>
    public int TurnNumber { get; private set; }

    /// <summary>Completes when the loop was stopped, faults when the loop has died.</summary>
    public Task Completion => _ended.Task;

    /// <summary>
    /// Runs something on the loop's thread, after everything that was posted before. May be called from any thread. False: the loop has ended.
    /// </summary>
    public bool TryPost(Action<object> run, object state) => _posts.TryPost(run, state);

    public LoopSwitch SwitchAsync() => new(this);

    /// <summary>Ends the loop after its current turn.</summary>
    public Task StopAsync()
    {
        TryPost(static loop => ((EpollLoop)loop)._isStopping = true, this);
        return Completion;
    }

    /// <summary>Watches a descriptor, edge triggered, until <see cref="Remove"/>.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">
    /// The kernel cannot watch it: it is short of memory, or of watches (<c>max_user_watches</c>). Nothing has changed then, and the caller must close the
    /// descriptor.
    /// </exception>
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

    /// <summary>Changes the events that a descriptor is watched for. False: the kernel refuses.</summary>
    public bool TryWatch(LoopHandler handler, int fd, uint events) => Control(Libc.Modify, fd, handler.Slot, events) == 0;

    /// <summary>Takes care of a task that nobody awaits: if it faults, the loop ends with that fault.</summary>
    public void Observe(Task task) =>
        _ = task.ContinueWith(
            static (faulted, loop) => ((EpollLoop)loop!).TryPost(static fault => ExceptionDispatchInfo.Throw((Exception)fault), faulted.Exception!.InnerException!),
            this, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>From now on the other handler gets the events of this descriptor.</summary>
    public void Replace(LoopHandler handler, LoopHandler by)
    {
        by.Slot = handler.Slot;
        _handlers[by.Slot] = by;
    }

    /// <summary>Ends watching. At the end of the turn, when no event of this descriptor can be left, the descriptor is closed.</summary>
    /// <param name="handler">Its slot becomes free at that time.</param>
    /// <param name="fd">-1: somebody else closes the descriptor, after this call.</param>
    public void Remove(LoopHandler handler, int fd)
    {
        _handlers[handler.Slot] = null;
        _ = Libc.EpollControl(_epoll, Libc.Delete, fd, null); // closing alone does not remove it while a child process that is being started has a copy
        _toClose.Add((fd, handler.Slot));
        handler.Slot = -1;
    }

    /// <summary>
    /// Has the writer send at the end of the turn, replies before requests. Measured: this costs 0.92 times the CPU per request of sending in the order of
    /// writing (bench/RESULTS.md).
    /// </summary>
    /// <param name="writer">Must not be in the list already.</param>
    /// <param name="isToClient">True: its connection was accepted from a client. False: it was made to an upstream.</param>
    public void SendLater(EpollWriter writer, bool isToClient) => (isToClient ? _toClients : _toUpstreams).Add(writer);

    /// <summary>Calls the handler in the next turn, which then comes without waiting.</summary>
    public void CallInNextTurn(LoopHandler handler) => _next.Add(handler);

    private void Run()
    {
        _current = this;
        ExecutionContext.SuppressFlow(); // continuations then run without an execution context: nothing here uses async-local values
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

    /// <summary>A method of its own, so that the runtime can replace it by better compiled code between two turns.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Turn()
    {
        var count = Libc.EpollWait(_epoll, _events, MaxEvents, _toClients.IsEmpty && _toUpstreams.IsEmpty && _next.Count == 0 ? -1 : 0);
        if (count < 0 && Marshal.GetLastSystemError() is not Errno.Interrupted and var errno) throw Errno.ToException(errno);
        TurnNumber++;
        if (_next.Count > 0) CallNext(); // before the events, so that handlers which these add are called in the turn after this one
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

    /// <summary>Returns 0, or the errno.</summary>
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
            if (handler is not null) Try(handler.OnLoopEnded); // one that throws does not keep the others from being told
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
