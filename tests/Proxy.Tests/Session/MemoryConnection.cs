using System.IO.Pipelines;
using System.Net;
using System.Text;
using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>A connection without a socket: a session has one end, the test plays the peer at the other.</summary>
internal sealed class MemoryConnection : IConnection
{
    public const int PauseBytes = 4096;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly Pipe _toSession = new(new PipeOptions(pauseWriterThreshold: PauseBytes, resumeWriterThreshold: PauseBytes / 2, useSynchronizationContext: false));
    private readonly Pipe _fromSession = new(new PipeOptions(pauseWriterThreshold: PauseBytes, resumeWriterThreshold: PauseBytes / 2, useSynchronizationContext: false));

    public string RemoteName => "memory";

    public PipeReader Input => _toSession.Reader;

    public PipeWriter Output => _fromSession.Writer;

    public bool IsAborted { get; private set; }

    public bool IsDisposed { get; private set; }

    /// <summary>The peer sees a reset.</summary>
    public bool IsPeerReset { get; private set; }

    public IPAddress? GetLocalAddress() => IPAddress.Loopback;

    public void Abort()
    {
        IsAborted = true;
        _toSession.Writer.Complete();
        _fromSession.Reader.CancelPendingRead();
        _fromSession.Writer.CancelPendingFlush();
    }

    public void ResetPeer()
    {
        IsPeerReset = !IsAborted;
        Abort();
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        _fromSession.Writer.Complete();
        _toSession.Reader.Complete();
        return ValueTask.CompletedTask;
    }

    /// <summary>The peer sends; the task ends when the session has taken enough of it.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _toSession.Writer.WriteAsync(bytes);

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>The peer sends FIN.</summary>
    public void Finish() => _toSession.Writer.Complete();

    /// <summary>The peer takes no more; what is sent to it fails so.</summary>
    public void StopReading(Exception failure) => _fromSession.Reader.Complete(failure);

    /// <summary>The peer's connection breaks.</summary>
    public void Reset()
    {
        _toSession.Writer.Complete(new IOException("reset by the test"));
        _fromSession.Reader.Complete();
    }

    /// <summary>The peer reads exactly so many bytes.</summary>
    public async Task<string> ReadAsync(int count)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            var read = await _fromSession.Reader.ReadAsync(deadline.Token);
            if (read.Buffer.Length >= count)
            {
                var text = Encoding.Latin1.GetString(read.Buffer.Slice(0, count));
                _fromSession.Reader.AdvanceTo(read.Buffer.GetPosition(count));
                return text;
            }

            var have = Encoding.Latin1.GetString(read.Buffer);
            _fromSession.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted || IsAborted)
            {
                throw new EndOfStreamException($"the session closed after '{have}', {count} bytes were expected");
            }
        }
    }

    /// <summary>The peer reads exactly this.</summary>
    public async Task ExpectAsync(string text) => Assert.Equal(text, await ReadAsync(text.Length));

    /// <summary>The peer reads all up to the session's FIN.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            var read = await _fromSession.Reader.ReadAsync(deadline.Token);
            if (read.IsCompleted)
            {
                var text = Encoding.Latin1.GetString(read.Buffer);
                _fromSession.Reader.AdvanceTo(read.Buffer.End);
                return text;
            }

            _fromSession.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (IsAborted) return Encoding.Latin1.GetString(read.Buffer);
        }
    }

    /// <summary>What has arrived, without waiting for more.</summary>
    public string Peek()
    {
        if (!_fromSession.Reader.TryRead(out var read)) return "";
        var text = Encoding.Latin1.GetString(read.Buffer);
        _fromSession.Reader.AdvanceTo(read.Buffer.Start);
        return text;
    }

    /// <summary>The peer, a Redis, reads one multibulk request.</summary>
    public async Task<string[]> ReadRequestAsync()
    {
        var arguments = new string[int.Parse((await ReadLineAsync())[1..])];
        for (var i = 0; i < arguments.Length; i++)
        {
            var length = int.Parse((await ReadLineAsync())[1..]);
            arguments[i] = (await ReadAsync(length + 2))[..^2];
        }

        return arguments;
    }

    private async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal)) line.Append(await ReadAsync(1));
        return line.ToString()[..^2];
    }
}
