using System.Buffers;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Proxy.Text;
using KeyEvt.Proxy.Transport;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Barrier.Echo;

/// <summary>
/// Does the upstream name an unknown command in its error, and in which words? Asked on a connection of the proxy's own, without a login, at the start and
/// again when a session needs it. Redis looks a command up before it demands a login; Valkey 9 does not, see <see cref="LoginGuard"/>.
/// <para>
/// The words belong to the server process, and a restart may bring another version. A connection belongs to one process. So what was learnt at an address after
/// a connection there was opened holds for that connection, and a session older than the last trial needs no new one. Any other answer (too many clients, for
/// example), or none, teaches nothing. That the name is left out is believed for <see cref="NoFor"/> only.
/// </para>
/// </summary>
internal sealed class UpstreamProbe(ITransport transport, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long the upstream is not asked again after it left the name out, or could not be asked, since many sessions may want to know. Longer than a trial
    /// takes.
    /// </summary>
    private static readonly TimeSpan NoFor = TimeSpan.FromSeconds(3);

    /// <summary>A longer line does not name the command: Redis cuts names at 128 bytes.</summary>
    private const int MaxLineBytes = 1024;

    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>The last two fields are written by the one trial that runs, and read by any thread: volatile references to immutable records.</summary>
    private volatile Lesson? _last;
    private volatile Lesson? _failed;

    public InterceptionState State => _last switch
    {
        null => InterceptionState.NotTried,
        { Words.IsSilent: true } => InterceptionState.NoEcho,
        _ => InterceptionState.On,
    };

    /// <summary>
    /// The words of the server behind a connection to this address that was opened at <paramref name="openedAt"/> (a timestamp of the time provider). All null
    /// if it could not be asked.
    /// </summary>
    public async ValueTask<EchoWords> LearnAsync(TransportAddress upstream, long openedAt, CancellationToken cancellationToken)
    {
        if (Known(upstream, openedAt) is { } known) return known;
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Known(upstream, openedAt) is { } since) return since;
            await TryAsync(upstream, cancellationToken).ConfigureAwait(false);
            return Known(upstream, openedAt) ?? default;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private EchoWords? Known(TransportAddress upstream, long openedAt)
    {
        if (_last is { } last && last.From == upstream && last.LearntAt >= openedAt && !(last.Words.IsSilent && IsOld(last)))
        {
            return last.Words;
        }

        return _failed is { } failed && failed.From == upstream && !IsOld(failed) ? failed.Words : null;
    }

    private bool IsOld(Lesson lesson) => time.GetElapsedTime(lesson.LearntAt) > NoFor;

    private async Task TryAsync(TransportAddress upstream, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var now = time.GetTimestamp(); // taken before connecting, so the trial's connection is certainly opened later than this
        try
        {
            var words = await AskAsync(upstream, either.Token).ConfigureAwait(false);
            if (words.IsSilent && State != InterceptionState.NoEcho) BarrierLog.InterceptionOff(logger, upstream);
            if (!words.IsSilent && State != InterceptionState.On) BarrierLog.InterceptionOn(logger, upstream);
            _last = new Lesson(words, upstream, now);
            _failed = null;
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or InvalidOperationException) // the last: the transport completes its writer itself when the socket has ended
        {
            cancellationToken.ThrowIfCancellationRequested();
            _failed = new Lesson(default, upstream, now);
            BarrierLog.ProbeFailed(logger, upstream, deadline.IsCancellationRequested ? "no answer" : e.Message);
        }
    }

    /// <summary>Sends two unknown commands. What is the same around both names is the shape.</summary>
    /// <exception cref="IOException">The answer is about something else.</exception>
    private async Task<EchoWords> AskAsync(TransportAddress upstream, CancellationToken cancellationToken)
    {
        await using var connection = await transport.ConnectAsync(upstream, cancellationToken).ConfigureAwait(false);
        byte[] one = EchoShape.NewName(), two = EchoShape.NewName();
        await connection.Output.WriteAsync((byte[])[.. EchoShape.CommandOf(one).Span, .. EchoShape.CommandOf(two).Span], cancellationToken).ConfigureAwait(false);
        var line = await ReadLineAsync(connection, cancellationToken).ConfigureAwait(false);
        if (Around(line, one) is not { } first)
        {
            if (SaysUnknownCommand(line)) return new EchoWords(null, IsSilent: true);
            if (!line.AsSpan().StartsWith("-NOAUTH "u8)) throw new IOException($"it answered {Printable.Quote(line)}");
            return new EchoWords(null, Guard: await AskWithoutLoginAsync(connection, line, cancellationToken).ConfigureAwait(false));
        }

        var second = Around(await ReadLineAsync(connection, cancellationToken).ConfigureAwait(false), two);
        return second is not null && first.IsAs(second) ? new EchoWords(first) : throw new IOException("it answered the same in different words");
    }

    /// <summary>
    /// The upstream demands a login before it says anything about a command. Its words for an unknown command can then only be learnt on connections of clients
    /// that have logged in. What is learnt here is how it answers clients that have not.
    /// </summary>
    /// <param name="refusal">The answer to the first unknown command. The answer to the second is still to come.</param>
    private static async Task<LoginGuard> AskWithoutLoginAsync(IConnection connection, byte[] refusal, CancellationToken cancellationToken)
    {
        byte[] one = EchoShape.NewName(), two = EchoShape.NewName();
        await connection.Output.WriteAsync((byte[])[.. LoginGuard.CommandOf(one).Span, .. LoginGuard.CommandOf(two).Span], cancellationToken).ConfigureAwait(false);
        var again = await ReadLineAsync(connection, cancellationToken).ConfigureAwait(false);
        var first = Around(await ReadLineAsync(connection, cancellationToken).ConfigureAwait(false), one);
        var second = Around(await ReadLineAsync(connection, cancellationToken).ConfigureAwait(false), two);
        return again.AsSpan().SequenceEqual(refusal) && first is not null && second is not null && first.IsAs(second)
            ? new LoginGuard(refusal, first)
            : throw new IOException($"it answered {Printable.Quote(refusal)}");
    }

    private static bool SaysUnknownCommand(ReadOnlySpan<byte> line) =>
        line.StartsWith("-"u8) && Encoding.Latin1.GetString(line).Contains("unknown command", StringComparison.OrdinalIgnoreCase);

    private static EchoShape? Around(byte[] line, byte[] name)
    {
        var at = line.AsSpan().IndexOf(name);
        return at > 0 && line[0] == '-' ? new EchoShape(line.AsMemory(0, at), line.AsMemory(at + name.Length)) : null;
    }

    /// <summary>Reads one line, with its CR LF; empty when there is none.</summary>
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

    /// <param name="LearntAt">Timestamp of the moment before its connection was opened.</param>
    private sealed record Lesson(EchoWords Words, TransportAddress From, long LearntAt);
}
