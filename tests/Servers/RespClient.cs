// How does a test speak to a Redis port byte by byte?
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace KeyEvt.Servers;

/// <summary>
/// A raw connection with deadlines. Written apart from the program's own framer and reader, so that a fault of theirs does
/// not hide itself. Strings are Latin-1: one character a byte.
/// </summary>
public sealed class RespClient : IAsyncDisposable
{
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly Stream _stream;
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    internal RespClient(Socket socket, Stream stream) => (_socket, _stream) = (socket, stream);

    public Socket Socket => _socket;

    internal Stream Stream => _stream;

    public static async Task<RespClient> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        return await ConnectAsync(socket, new IPEndPoint(IPAddress.Loopback, port)).ConfigureAwait(false);
    }

    public static async Task<RespClient> ConnectUnixAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        return await ConnectAsync(socket, new UnixDomainSocketEndPoint(path)).ConfigureAwait(false);
    }

    /// <summary>The multibulk form of one command.</summary>
    public static byte[] Command(params string[] arguments)
    {
        var text = new StringBuilder($"*{arguments.Length}\r\n");
        foreach (var argument in arguments) text.Append('$').Append(argument.Length).Append("\r\n").Append(argument).Append("\r\n");
        return Encoding.Latin1.GetBytes(text.ToString());
    }

    /// <summary>Sends one command and reads one reply.</summary>
    public async Task<Reply> CallAsync(params string[] arguments)
    {
        await SendCommandAsync(arguments).ConfigureAwait(false);
        return await ReadReplyAsync().ConfigureAwait(false);
    }

    public Task SendCommandAsync(params string[] arguments) => SendAsync(Command(arguments));

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    public async Task SendAsync(ReadOnlyMemory<byte> bytes, TimeSpan? deadline = null)
    {
        using var limit = new CancellationTokenSource(deadline ?? DefaultDeadline);
        try
        {
            await _stream.WriteAsync(bytes, limit.Token).ConfigureAwait(false);
        }
        catch (IOException broken) when (broken.InnerException is SocketException reason)
        {
            throw reason;
        }
    }

    /// <summary>One whole reply or push; EndOfStreamException when the connection ends before it.</summary>
    public async Task<Reply> ReadReplyAsync(TimeSpan? deadline = null)
    {
        using var limit = new CancellationTokenSource(deadline ?? DefaultDeadline);
        return await WithTextAsync(ReadReplyAsync(limit.Token), "a reply").ConfigureAwait(false);
    }

    public async Task<byte[]> ReadBytesAsync(int count, TimeSpan? deadline = null)
    {
        using var limit = new CancellationTokenSource(deadline ?? DefaultDeadline);
        return await WithTextAsync(TakeAsync(count, limit.Token), $"{count} bytes").ConfigureAwait(false);
    }

    /// <summary>Everything until the other side closes; a reset counts as the end.</summary>
    public async Task<byte[]> ReadToEndAsync(TimeSpan? deadline = null)
    {
        using var limit = new CancellationTokenSource(deadline ?? DefaultDeadline);
        return await WithTextAsync(ReadToEndAsync(limit.Token), "the end of the connection").ConfigureAwait(false);
    }

    /// <summary>Like ReadToEndAsync, as Latin-1 text.</summary>
    public async Task<string> ReadTextToEndAsync(TimeSpan? deadline = null)
        => Encoding.Latin1.GetString(await ReadToEndAsync(deadline).ConfigureAwait(false));

    /// <summary>Reads and drops this many bytes, keeping none: for replies larger than memory is worth.</summary>
    public async Task DropAsync(long count, TimeSpan deadline)
    {
        using var limit = new CancellationTokenSource(deadline);
        while (count > 0)
        {
            if (_start == _end) await WithTextAsync(FillAsync(limit.Token), $"{count} more bytes").ConfigureAwait(false);
            var taken = (int)Math.Min(count, _end - _start);
            _start += taken;
            count -= taken;
        }
    }

    /// <summary>True when nothing arrives for this long and the connection stays open.</summary>
    public async Task<bool> IsSilentAsync(TimeSpan span)
    {
        if (_start < _end) return false;
        using var limit = new CancellationTokenSource(span);
        try
        {
            await FillAsync(limit.Token).ConfigureAwait(false);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
        catch (EndOfStreamException)
        {
            return false;
        }
    }

    /// <summary>FIN: no more requests, replies still wanted.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>What TLS has for it (close_notify), and FIN.</summary>
    public async Task EndSendingSecurelyAsync()
    {
        await ((SslStream)_stream).ShutdownAsync().ConfigureAwait(false);
        EndSending();
    }

    /// <summary>RST.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<RespClient> ConnectAsync(Socket socket, EndPoint address)
    {
        using var limit = new CancellationTokenSource(DefaultDeadline);
        try
        {
            await socket.ConnectAsync(address, limit.Token).ConfigureAwait(false);
            return new RespClient(socket, new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<T> WithTextAsync<T>(Task<T> reading, string what)
    {
        try
        {
            return await reading.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            var rest = Encoding.Latin1.GetString(_buffer, _start, Math.Min(_end - _start, 200));
            throw new TimeoutException($"waited for {what}; unread so far: '{rest}'");
        }
    }

    // RESP: <type><text>\r\n, with a length for $ ! =, with a count for * ~ > and (of pairs) % |
    private async Task<Reply> ReadReplyAsync(CancellationToken cancellationToken)
    {
        var raw = new MemoryStream();
        var line = await TakeLineAsync(raw, cancellationToken).ConfigureAwait(false);
        var type = (char)line[0];
        var rest = Encoding.Latin1.GetString(line, 1, line.Length - 1);
        switch (type)
        {
            case '$' or '!' or '=' when rest == "-1":
            case '_':
                return new Reply(type, raw.ToArray(), null, []);
            case '$' or '!' or '=':
                var body = await TakeAsync(int.Parse(rest) + 2, cancellationToken).ConfigureAwait(false);
                raw.Write(body);
                if (body is not [.., (byte)'\r', (byte)'\n']) throw new InvalidDataException("a bulk without \\r\\n at its end");
                return new Reply(type, raw.ToArray(), body[..^2], []);
            case '*' or '~' or '>' or '%' or '|':
                var items = new List<Reply>();
                var count = int.Parse(rest) * (type is '%' or '|' ? 2 : 1);
                for (var i = 0; i < count; i++)
                {
                    items.Add(await ReadReplyAsync(cancellationToken).ConfigureAwait(false));
                    raw.Write(items[^1].Raw);
                }
                return new Reply(type, raw.ToArray(), null, items);
            case '+' or '-' or ':' or '#' or ',' or '(':
                return new Reply(type, raw.ToArray(), line[1..], []);
            default:
                throw new InvalidDataException($"not a reply: '{Encoding.Latin1.GetString(line)}'");
        }
    }

    private async Task<byte[]> TakeLineAsync(MemoryStream raw, CancellationToken cancellationToken)
    {
        var seen = 0;
        while (true)
        {
            var end = _buffer.AsSpan(_start + seen, _end - _start - seen).IndexOf((byte)'\n');
            if (end >= 0)
            {
                var line = await TakeAsync(seen + end + 1, cancellationToken).ConfigureAwait(false);
                raw.Write(line);
                if (line is not [_, .., (byte)'\r', _])
                {
                    throw new InvalidDataException($"a line without \\r\\n: '{Encoding.Latin1.GetString(line)}'");
                }

                return line[..^2];
            }
            seen = _end - _start;
            await FillAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<byte[]> TakeAsync(int count, CancellationToken cancellationToken)
    {
        while (_end - _start < count) await FillAsync(cancellationToken).ConfigureAwait(false);
        var bytes = _buffer[_start..(_start + count)];
        _start += count;
        return bytes;
    }

    private async Task<byte[]> ReadToEndAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true) await FillAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (EndOfStreamException)
        {
            return await TakeAsync(_end - _start, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<int> FillAsync(CancellationToken cancellationToken)
    {
        if (_start == _end) _start = _end = 0;
        if (_end == _buffer.Length && _start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        int received;
        try
        {
            received = await _stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception reset) when (reset is SocketException or IOException)
        {
            throw new EndOfStreamException("the connection was reset", reset);
        }
        if (received == 0) throw new EndOfStreamException("the connection was closed");
        _end += received;
        return received;
    }
}
