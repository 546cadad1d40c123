using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace KeyEvt.Simulation.Net;

/// <summary>One connection between a program and a node. The program sees two pipes; the node sees bytes that come, and can send some.</summary>
internal sealed class VirtualConnection : IDuplexPipe, IDisposable
{
    private readonly Pipe _toProgram = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly WireWriter _output;
    private readonly Wire _up;
    private readonly Wire _down;
    private bool _isEnded;

    /// <param name="up">From the program to the node.</param>
    /// <param name="down">From the node to the program.</param>
    public VirtualConnection(Wire up, Wire down)
    {
        (_up, _down) = (up, down);
        _output = new WireWriter(bytes => up.Put(() => Received(bytes), bytes.Length), Dispose);
    }

    public PipeReader Input => _toProgram.Reader;

    public PipeWriter Output => _output;

    /// <summary>Called for what the program has sent.</summary>
    public Action<byte[]> Received { get; set; } = static _ => { };

    /// <summary>Called when the program's end of the connection is closed.</summary>
    public Action Left { get; set; } = static () => { };

    /// <summary>Bytes that the node has sent, and that have not arrived.</summary>
    public long Unread => _down.Bytes;

    /// <summary>Sends something to the program.</summary>
    public void Send(byte[] bytes) => _down.Put(() => Arrive(bytes), bytes.Length);

    /// <summary>The node closes the connection.</summary>
    /// <param name="isReset">What has not arrived yet is lost.</param>
    public void Close(bool isReset)
    {
        if (isReset) _down.DropAll();
        _down.Put(() => End(isReset));
    }

    /// <summary>The program closes the connection.</summary>
    public void Dispose() => _up.Put(Left);

    private void Arrive(byte[] bytes)
    {
        if (_isEnded) return;

        _toProgram.Writer.Write(bytes);
        _ = _toProgram.Writer.FlushAsync().AsTask(); // it never waits: the pipe has no limit
    }

    private void End(bool isReset)
    {
        if (_isEnded) return;

        _isEnded = true;
        _toProgram.Writer.Complete(isReset ? new IOException("connection reset", new SocketException((int)SocketError.ConnectionReset)) : null);
    }
}
