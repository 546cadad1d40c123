using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// One connected socket on one loop. Its reader and its writer may be used from any thread, one at a time each; on the loop's own thread
/// they work at once, from another one they post what is to be done and complete on the loop: whoever awaited something elsewhere comes home with
/// one of the next reads or flushes.
/// </summary>
internal sealed class EpollConnection : LoopHandler, IConnection
{
    /// <summary>How long a peer may take for the last bytes after its session has ended.</summary>
    private static readonly TimeSpan SendDeadline = TimeSpan.FromSeconds(10);

    private readonly PeerAddress _peer;
    private string? _remoteName;
    private bool _isAborted;
    private bool _isClosed;

    /// <summary>On the loop's thread; takes the socket over. Who registers it does so right after.</summary>
    /// <param name="wasAccepted">A client's; else this side has made it, to an upstream.</param>
    public EpollConnection(EpollLoop loop, int fd, string? remoteName, bool isTcp, bool wasAccepted)
    {
        (Loop, Fd, _remoteName, WatchesOutAlways) = (loop, fd, remoteName, isTcp);
        Reader = new EpollReader(this);
        Writer = new EpollWriter(this, fd, isToClient: wasAccepted);
    }

    /// <summary>The same for an accepted TCP connection.</summary>
    public EpollConnection(EpollLoop loop, int fd, PeerAddress peer)
        : this(loop, fd, remoteName: null, isTcp: true, wasAccepted: true) => _peer = peer;

    public EpollLoop Loop { get; }

    public int Fd { get; }

    public string RemoteName => _remoteName ??= _peer.ToString();

    public EpollReader Reader { get; }

    public EpollWriter Writer { get; }

    public PipeReader Input => Reader;

    public PipeWriter Output => Writer;

    /// <summary>There may be bytes, or the end, to be received.</summary>
    public bool IsReadable { get; set; }

    /// <summary>FIN, or worse, has come: a receive that got less than it could take was not the last.</summary>
    public bool IsHungUp { get; private set; }

    /// <summary>A send has taken the error away that a receive would have found.</summary>
    public bool IsReset { get; set; }

    /// <summary>
    /// A TCP socket says that it can be written to only after it could not; that interest costs nothing and is never switched. A unix socket says so each
    /// time its peer has read something.
    /// </summary>
    public bool WatchesOutAlways { get; }

    /// <summary>What a connected socket is watched for.</summary>
    public uint Interest => WatchesOutAlways ? Libc.In | Libc.PeerHangUp | Libc.Out : Libc.In | Libc.PeerHangUp;

    public override void OnEvents(uint events)
    {
        const uint Ends = Libc.PeerHangUp | Libc.HangUp | Libc.Error;
        if ((events & Ends) != 0) IsHungUp = true;
        if ((events & (Libc.In | Ends)) != 0)
        {
            IsReadable = true;
            Reader.OnReadable();
        }

        if ((events & (Libc.Out | Libc.HangUp | Libc.Error)) != 0) Writer.OnWritable();
    }

    public override void OnNextTurn() => Reader.OnReadable();

    /// <summary>Unix sockets only: tells when it can be written to, or no longer does.</summary>
    public void WatchOut(bool wanted)
    {
        if (WatchesOutAlways || _isClosed || Loop.TryWatch(this, Fd, wanted ? Interest | Libc.Out : Interest)) return;
        Loop.TryPost(static connection => ((EpollConnection)connection).AbortOnLoop(), this); // what it waits for would never be told; not now, as the writer is at work
    }

    public IPAddress? GetLocalAddress()
    {
        if (_isClosed) return null;
        using var socket = new Socket(new SafeSocketHandle(Fd, ownsHandle: false));
        return LocalAddress.Of(socket);
    }

    public void Abort()
    {
        if (Loop.IsCurrent) AbortOnLoop();
        else Loop.TryPost(static connection => ((EpollConnection)connection).AbortOnLoop(), this);
    }

    public void ResetPeer()
    {
        if (Loop.IsCurrent) ResetOnLoop();
        else Loop.TryPost(static connection => ((EpollConnection)connection).ResetOnLoop(), this);
    }

    public async ValueTask DisposeAsync()
    {
        if (!await Loop.SwitchAsync() || _isClosed) return; // a loop that ends closes all of its sockets
        if (Writer.CompleteAndSend() is { } allSent)
        {
            try
            {
                await allSent.WaitAsync(SendDeadline, Loop.Time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // a peer that does not read loses the rest
            }

            if (!await Loop.SwitchAsync() || _isClosed) return;
        }

        if (!_isAborted && !Reader.HasEnded) Reader.Discard();
        Close();
        Reader.Complete();
        Loop.Remove(this, Fd);
    }

    public override void OnLoopEnded()
    {
        if (_isClosed) return;
        Close();
        _ = Libc.Close(Fd);
    }

    private void Close()
    {
        _isClosed = true;
        Writer.Break();
        Reader.End();
    }

    /// <summary>What was written before is sent as far as the kernel takes it at once: it was meant to be on its way already.</summary>
    private void AbortOnLoop()
    {
        if (_isAborted || _isClosed) return;
        _isAborted = true;
        Writer.TrySend();
        if (!Writer.HasEnded || !Reader.HasEnded) _ = Libc.Shutdown(Fd, Libc.ShutdownBoth);
        Writer.Break();
        Reader.End();
    }

    /// <summary>RST goes out when the socket is closed, which is when this is disposed of: a shutdown before that would be a FIN.</summary>
    private void ResetOnLoop()
    {
        if (_isAborted || _isClosed) return;
        _isAborted = true;
        Libc.ResetOnClose(Fd);
        Writer.Break();
        Reader.End();
    }
}
