// What does a broker look like that refuses every connection in words of the test's choice?
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>Speaks just enough AMQP 0-9-1 to answer the client's connection.open with connection.close.</summary>
internal sealed class RefusingBroker : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly byte[] _close;
    private readonly Task _serving;
    private int _refused;

    public RefusingBroker(string text)
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        var bytes = Encoding.Latin1.GetBytes(text);
        // class 10 method 50: reply-code (541, internal error), reply-text, and the class and method that caused it (10, 40)
        _close = Frame([0, 10, 0, 50, 2, 29, (byte)bytes.Length, .. bytes, 0, 10, 0, 40]);
        _serving = ServeAsync();
    }

    public int Port { get; } = FreePorts.Take();

    public int Refused => Volatile.Read(ref _refused);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving.ConfigureAwait(false);
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync().ConfigureAwait(false);
                await RefuseAsync(client.GetStream()).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // stopped
        }
    }

    private async Task RefuseAsync(NetworkStream stream)
    {
        var buffer = new byte[4096];
        try
        {
            await stream.ReadExactlyAsync(buffer.AsMemory(0, 8)).ConfigureAwait(false);
            // class 10 method 10: version 0-9, an empty table of server properties, mechanisms, locales
            await stream.WriteAsync(Frame([0, 10, 0, 10, 0, 9, 0, 0, 0, 0, 0, 0, 0, 5, .. "PLAIN"u8, 0, 0, 0, 5, .. "en_US"u8])).ConfigureAwait(false);
            await ReadMethodAsync(stream, 11).ConfigureAwait(false); // start-ok
            // class 10 method 30: channel-max, frame-max, heartbeat
            await stream.WriteAsync(Frame([0, 10, 0, 30, 0, 10, 0, 2, 0, 0, 0, 0])).ConfigureAwait(false);
            await ReadMethodAsync(stream, 40).ConfigureAwait(false); // open
            Interlocked.Increment(ref _refused); // before: who reads the refusal may look at once
            await stream.WriteAsync(_close).ConfigureAwait(false);
            while (await stream.ReadAsync(buffer).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (IOException)
        {
            // It left.
        }
    }

    private static async Task ReadMethodAsync(NetworkStream stream, byte method)
    {
        byte[] payload;
        do
        {
            var head = new byte[7];
            await stream.ReadExactlyAsync(head).ConfigureAwait(false);
            payload = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(3)) + 1];
            await stream.ReadExactlyAsync(payload).ConfigureAwait(false);
        }
        while (payload[3] != method);
    }

    /// <summary>A method frame of channel 0: type, channel, length, payload, end.</summary>
    private static byte[] Frame(byte[] payload)
    {
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, payload.Length);
        return [1, 0, 0, .. length, .. payload, 0xCE];
    }
}
