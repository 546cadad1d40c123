using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Forwarder.Net;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tls;

namespace KeyEvt.Proxy.Check;

/// <summary>
/// One connection that sends a command and reads its reply. Written here and not taken from StackExchange.Redis, which sends commands of its own
/// at connecting, so that a missing permission would show in the wrong place.
/// </summary>
internal sealed class RedisWire : IAsyncDisposable
{
    private const int MaxBulk = 1 << 20;

    private readonly Stream _stream;
    private readonly BufferedStream _reading; // for reading only: it refuses to write while bytes are left in it
    private readonly TimeSpan _deadline;
    private readonly TimeProvider _time;

    private RedisWire(Stream stream, TimeSpan deadline, TimeProvider time) => (_stream, _reading, _deadline, _time) = (stream, new BufferedStream(stream), deadline, time);

    /// <summary>Null without TLS.</summary>
    public SslStream? Secure => _stream as SslStream;

    /// <summary>Something that is a reply has come.</summary>
    public bool HasAnswered { get; private set; }

    public static async Task<RedisWire> ConnectAsync(RedisAddress address, TlsClient tls, TimeSpan deadline, TimeProvider time)
    {
        using var end = new CancellationTokenSource(deadline, time);
        var socket = await (address.Path is { } path ? HappyEyeballs.OpenUnixAsync(path, end.Token) : HappyEyeballs.By(time).OpenAsync(address.Host, address.Port, end.Token));
        try
        {
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            return new RedisWire(address.IsTls ? await tls.SecureAsync(stream, address.Host, end.Token) : stream, deadline, time);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <exception cref="IOException">The connection ended, or what came is no reply.</exception>
    /// <exception cref="OperationCanceledException">Not within the deadline.</exception>
    public async Task<RedisReply> CallAsync(params string[] command)
    {
        using var end = new CancellationTokenSource(_deadline, _time);
        var request = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{command.Length}\r\n");
        foreach (var word in command) request.Append(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        await _stream.WriteAsync(Encoding.UTF8.GetBytes(request.ToString()), end.Token);
        RedisReply reply;
        do reply = await ReadAsync(end.Token);
        while (IsMessage(reply));
        HasAnswered = true;
        return reply;
    }

    public ValueTask DisposeAsync() => _reading.DisposeAsync();

    /// <summary>Of what was subscribed to before: on a busy Redis it comes between two replies.</summary>
    private static bool IsMessage(RedisReply reply) => reply.Items is [{ Text: "message" or "pmessage" or "smessage" }, ..];

    private async Task<RedisReply> ReadAsync(CancellationToken end)
    {
        var line = await ReadLineAsync(end);
        var kind = line.Length > 0 ? line[0] : '?';
        var rest = line.Length > 0 ? line[1..] : "";
        switch (kind)
        {
            case '+' or ':':
                return new RedisReply(false, rest, []);
            case '-':
                return new RedisReply(true, rest, []);
            case '$' when int.TryParse(rest, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var length) && length <= MaxBulk:
                return new RedisReply(false, length < 0 ? "" : await ReadBulkAsync(length, end), []);
            case '*' when int.TryParse(rest, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count) && count <= 10_000:
                var items = new List<RedisReply>();
                while (items.Count < count) items.Add(await ReadAsync(end));
                return new RedisReply(false, "", items);
            default:
                throw new IOException("what answers there is no Redis");
        }
    }

    private async Task<string> ReadBulkAsync(int length, CancellationToken end)
    {
        var body = new byte[length + 2];
        await _reading.ReadExactlyAsync(body, end);
        return Encoding.UTF8.GetString(body, 0, length);
    }

    private async Task<string> ReadLineAsync(CancellationToken end)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (line.Count < MaxBulk)
        {
            await _reading.ReadExactlyAsync(one, end);
            if (one[0] == (byte)'\n') return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
            line.Add(one[0]);
        }
        throw new IOException("what answers there is no Redis");
    }
}
