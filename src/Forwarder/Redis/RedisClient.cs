using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KeyEvt.Forwarder.Text;
using KeyEvt.Resp;

namespace KeyEvt.Forwarder.Redis;

/// <summary>How can one ask a node or a Sentinel something? One connection, one question at a time, each with a deadline. RESP2.</summary>
/// <remarks>
/// A client library would not do: it keeps its own view of the topology, and reconnects unnoticed, although the caller wants to know who can be
/// reached. Every failure is an <see cref="IOException"/>. The connection is unusable after it.
/// </remarks>
public sealed class RedisClient : IAsyncDisposable
{
    private const int MaxReplyBytes = 16 * 1024 * 1024;

    private readonly IDuplexPipe _pipe;
    private readonly TimeSpan _deadline;
    private readonly TimeProvider _time;

    private readonly RedisAddress _address;
    private bool _hasAnswered;

    private RedisClient(IDuplexPipe pipe, RedisAddress address, TimeSpan deadline, TimeProvider time) => (_pipe, _address, _deadline, _time) = (pipe, address, deadline, time);

    /// <summary>The connection's TLS stream; null without TLS.</summary>
    public SslStream? Tls => (_pipe as StreamDuplex)?.Stream as SslStream;

    /// <summary>Opens a connection without logging in.</summary>
    /// <param name="deadline">Limit for connecting, and for each command.</param>
    /// <exception cref="IOException">The server is not reached.</exception>
    public static async Task<RedisClient> ConnectAsync(RedisAddress address, IRedisTransport transport, TimeSpan deadline, TimeProvider time)
    {
        var pipe = await GuardAsync(async end => await transport.ConnectAsync(address, end).ConfigureAwait(false), deadline, time).ConfigureAwait(false);
        return new RedisClient(pipe, address, deadline, time);
    }

    /// <summary>Opens a connection and logs in with the address's user and password.</summary>
    /// <exception cref="IOException">The server is not reached, or refuses the login.</exception>
    public static async Task<RedisClient> OpenAsync(RedisAddress address, IRedisTransport transport, TimeSpan deadline, TimeProvider time)
    {
        var caller = await ConnectAsync(address, transport, deadline, time).ConfigureAwait(false);
        if (address.Password is null && address.User is null) return caller;

        try
        {
            var password = address.Password?.ForLogin() ?? "";
            var answer = await (address.User is { } user ? caller.AskAsync("AUTH", user, password) : caller.AskAsync("AUTH", password)).ConfigureAwait(false);
            if (!answer.IsError) return caller;

            address.Password?.Refused();
            throw new IOException($"the login is refused: {CleanText.Server(answer.Text, password)}{address.Password?.Remark}");
        }
        catch
        {
            await caller.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Sends one command and returns its reply, which may be an error reply. Messages of a subscription that come before the reply are skipped.</summary>
    /// <exception cref="IOException">The connection ended, there was no reply in time, or what came is not RESP.</exception>
    public Task<RedisAnswer> AskAsync(params string[] command) => GuardAsync(
        async end =>
        {
            try
            {
                RespWriter.WriteCommand(_pipe.Output, command);
                await _pipe.Output.FlushAsync(end).ConfigureAwait(false);
                RedisAnswer answer;
                do answer = await ReadAsync(end).ConfigureAwait(false);
                while (answer.Items is [{ Text: "message" or "pmessage" or "smessage" }, ..]);

                _hasAnswered = true;
                return answer;
            }
            catch (Exception e) when (!_hasAnswered && e is IOException or SocketException)
            {
                throw new IOException(PlainFault.Explain(CleanText.Server(e.Message), _address, _hasAnswered), e);
            }
        },
        _deadline,
        _time);

    /// <summary>Returns the next message of a subscription; null if none came within this time.</summary>
    public async Task<RedisAnswer?> ListenAsync(TimeSpan patience, CancellationToken stop)
    {
        using var timer = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, stop);
        try
        {
            return await ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e) when (e is SocketException or RedisFaultException)
        {
            throw new IOException(CleanText.Server(e.Message), e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _pipe.CloseAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException)
        {
            // The connection is broken already, so there is nothing left to close.
        }
    }

    private static async Task<T> GuardAsync<T>(Func<CancellationToken, Task<T>> act, TimeSpan deadline, TimeProvider time)
    {
        using var end = new CancellationTokenSource(deadline, time);
        try
        {
            return await act(end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"no answer within {deadline.TotalSeconds:0.#} s"));
        }
        catch (Exception e) when (e is SocketException or AuthenticationException or RedisFaultException or InvalidOperationException)
        {
            throw new IOException(CleanText.Server(e.Message), e);
        }
    }

    private async Task<RedisAnswer> ReadAsync(CancellationToken end)
    {
        while (true)
        {
            var read = await _pipe.Input.ReadAsync(end).ConfigureAwait(false);
            var (reply, used) = Take(read.Buffer);
            _pipe.Input.AdvanceTo(read.Buffer.GetPosition(used), reply is null ? read.Buffer.End : read.Buffer.GetPosition(used));
            if (reply is not null) return reply;
            if (read.IsCompleted) throw new IOException("it closed the connection");
        }
    }

    private static (RedisAnswer? Reply, long Used) Take(ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsEmpty) return (null, 0);
        if (buffer.Length > MaxReplyBytes) throw new IOException("what it sends is too large");

        var bytes = buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
        var size = FrameMeter.Measure(bytes, out _);
        return size > bytes.Length ? (null, 0) : (RedisAnswer.Parse(bytes[..(int)size]), size);
    }
}
