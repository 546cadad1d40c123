using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport.Posix;

namespace KeyEvt.Proxy.Transport.Epoll;

/// <summary>
/// One connected socket on one loop. Its reader and its writer may each be used from any thread, by one caller at a time. On the loop's thread they work at
/// once. From another thread they post the work to the loop and complete on the loop. So a session that awaited something elsewhere is back on its loop after
/// one of its next reads or flushes.
/// </summary>
internal sealed class EpollConnection : LoopHandler, IConnection
{
    /// <summary>How long a peer may take for the last bytes after its session has ended.</summary>
    private static readonly TimeSpan SendDeadline = TimeSpan.FromSeconds(10);

    private readonly PeerAddress _peer;
    private string? _remoteName;

    /// <summary>
    /// This field, <see cref="_isClosed"/> and the settable properties are used on the loop's thread only. Exception: <see cref="GetLocalAddress"/> reads
    /// <see cref="_isClosed"/> on the session's thread.
    /// </summary>
    private bool _isAborted;
    private bool _isClosed;

    /// <summary>To be called on the loop's thread. Takes over the socket; the caller registers it right afterwards.</summary>
    /// <param name="wasAccepted">True: a client's connection, which was accepted. False: a connection that this side has made to an upstream.</param>
    public EpollConnection(EpollLoop loop, int fd, string? remoteName, bool isTcp, bool wasAccepted)
    {
        (Loop, Fd, _remoteName, WatchesOutAlways) = (loop, fd, remoteName, isTcp);
        Reader = new EpollReader(this);
        Writer = new EpollWriter(this, fd, isToClient: wasAccepted);
    }

    /// <summary>For an accepted TCP connection.</summary>
    public EpollConnection(EpollLoop loop, int fd, PeerAddress peer)
        : this(loop, fd, remoteName: null, isTcp: true, wasAccepted: true) => _peer = peer;

    public EpollLoop Loop { get; }

    public int Fd { get; }

    /// <summary>The peer. Its text is made when it is first asked for; two threads that race here make the same text.</summary>
    public string RemoteName => _remoteName ??= _peer.ToString();

    public EpollReader Reader { get; }

    public EpollWriter Writer { get; }

    public PipeReader Input => Reader;

    public PipeWriter Output => Writer;

    /// <summary>The socket may have bytes, or the end, to be received.</summary>
    public bool IsReadable { get; set; }

    /// <summary>FIN or an error has come. A receive that got fewer bytes than it could take may then be followed by another that finds the end.</summary>
    public bool IsHungUp { get; private set; }

    /// <summary>A send has failed, and has thereby taken away the error that a receive would otherwise have found.</summary>
    public bool IsReset { get; set; }

    /// <summary>
    /// Whether epoll always reports writability. A TCP socket reports it only after a send found its buffer full, so always watching for it costs nothing. A
    /// unix socket reports it each time its peer has read something, so it is watched only when needed.
    /// </summary>
    public bool WatchesOutAlways { get; }

    /// <summary>The events that a connected socket is watched for.</summary>
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

    /// <summary>For unix sockets only: begins or ends watching for writability.</summary>
    public void WatchOut(bool wanted)
    {
        if (WatchesOutAlways || _isClosed || Loop.TryWatch(this, Fd, wanted ? Interest | Libc.Out : Interest)) return;
        // Without the watch, the writer would wait for ever. Posted, as the writer is in the middle of its work here.
        Loop.TryPost(static connection => ((EpollConnection)connection).AbortOnLoop(), this);
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
        if (!await Loop.SwitchAsync() || _isClosed) return; // a loop that has ended has closed all of its sockets
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

    /// <summary>First sends what was written before, as far as the kernel takes it at once, since it should already be under way.</summary>
    private void AbortOnLoop()
    {
        if (_isAborted || _isClosed) return;
        _isAborted = true;
        Writer.TrySend();
        if (!Writer.HasEnded || !Reader.HasEnded) _ = Libc.Shutdown(Fd, Libc.ShutdownBoth);
        Writer.Break();
        Reader.End();
    }

    /// <summary>
    /// Closing the socket sends RST, and that happens when the connection is disposed of. A shutdown before that would send FIN, so there is none here.
    /// </summary>
    private void ResetOnLoop()
    {
        if (_isAborted || _isClosed) return;
        _isAborted = true;
        Libc.ResetOnClose(Fd);
        Writer.Break();
        Reader.End();
    }
}
