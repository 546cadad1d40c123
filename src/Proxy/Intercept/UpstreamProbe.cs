using System.Buffers;
using System.Net.Sockets;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Intercept;

/// <summary>
/// Does the upstream echo the name of an unknown command, and in which words? Tried at start on a connection of the proxy's own, without logging in: Redis looks
/// a command up before it asks who calls.
/// <para>
/// The words are the server process' own, and a restart may bring another version. A connection belongs to one process; so what was learned at its address
/// after it was opened holds for it, and a session older than the last trial makes no new one.
/// </para>
/// </summary>
internal sealed class UpstreamProbe(ITransport transport, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    /// <summary>Longer lines are no echo: Redis cuts names at 128 bytes.</summary>
    private const int MaxLineBytes = 1024;

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private volatile Lesson? _last;

    public InterceptionState State => _last switch
    {
        null => InterceptionState.NotTried,
        { Shape: null } => InterceptionState.NoEcho,
        _ => InterceptionState.On,
    };

    /// <summary>
    /// The words of the server at this address, behind a connection that was opened at <paramref name="openedAt"/> (a timestamp of the time provider); null: it
    /// does not echo, or never answered. A trial that fails leaves the last lesson in force.
    /// </summary>
    public async ValueTask<EchoShape?> LearnAsync(TransportAddress upstream, long openedAt, CancellationToken cancellationToken)
    {
        if (_last is { } last && last.HoldsFor(upstream, openedAt)) return last.Shape;
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_last is null || !_last.HoldsFor(upstream, openedAt)) await TryAsync(upstream, cancellationToken).ConfigureAwait(false);
            return _last?.From == upstream ? _last.Shape : null;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task TryAsync(TransportAddress upstream, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var now = time.GetTimestamp(); // before connecting: the process that answers is at least as young
        try
        {
            var shape = await AskAsync(upstream, either.Token).ConfigureAwait(false);
            if (shape is null && State != InterceptionState.NoEcho) ProxyLog.InterceptionOff(logger, upstream);
            if (shape is not null && State != InterceptionState.On) ProxyLog.InterceptionOn(logger, upstream);
            _last = new Lesson(shape, upstream, now);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ProxyLog.ProbeFailed(logger, upstream, deadline.IsCancellationRequested ? "no answer" : e.Message);
        }
    }

    /// <summary>Asks twice: what is the same around two different names is the shape.</summary>
    private async Task<EchoShape?> AskAsync(TransportAddress upstream, CancellationToken cancellationToken)
    {
        await using var connection = await transport.ConnectAsync(upstream, cancellationToken).ConfigureAwait(false);
        byte[] one = EchoShape.NewName(), two = EchoShape.NewName();
        await connection.Output.WriteAsync((byte[])[.. EchoShape.CommandOf(one).Span, .. EchoShape.CommandOf(two).Span], cancellationToken).ConfigureAwait(false);
        var first = Around(await ReadLineAsync(connection, cancellationToken).ConfigureAwait(false), one);
        var second = Around(await ReadLineAsync(connection, cancellationToken).ConfigureAwait(false), two);
        var same = first is not null && second is not null && first.Before.Span.SequenceEqual(second.Before.Span) && first.After.Span.SequenceEqual(second.After.Span);
        return same ? first : null;
    }

    private static EchoShape? Around(byte[] line, byte[] name)
    {
        var at = line.AsSpan().IndexOf(name);
        return at > 0 && line[0] == '-' ? new EchoShape(line.AsMemory(0, at), line.AsMemory(at + name.Length)) : null;
    }

    /// <summary>One line with its CR LF; empty when there is none.</summary>
    private static async Task<byte[]> ReadLineAsync(IConnection connection, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await connection.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var line = read.Buffer.PositionOf((byte)'\n') is { } lf ? read.Buffer.Slice(0, read.Buffer.GetPosition(1, lf)) : default;
            if (line.Length > 0 || read.IsCompleted || read.Buffer.Length > MaxLineBytes)
            {
                var bytes = line.ToArray();
                connection.Input.AdvanceTo(line.Length > 0 ? line.End : read.Buffer.Start);
                return bytes;
            }

            connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <param name="Shape">Null: it does not echo.</param>
    /// <param name="LearnedAt">When its connection was begun.</param>
    private sealed record Lesson(EchoShape? Shape, TransportAddress From, long LearnedAt)
    {
        public bool HoldsFor(TransportAddress upstream, long openedAt) => LearnedAt >= openedAt && From == upstream;
    }
}
