using System.Net;
using System.Net.Sockets;
using System.Text;
using KeyEvt.Forwarder.Net;
using KeyEvt.Proxy.Transport;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>One connection over a transport, and its peer. The tests of transports are written once and run over each of them.</summary>
public abstract class TransportFixture : IAsyncLifetime
{
    private protected string UnixPath { get; } = Path.Combine(Path.GetTempPath(), $"keyevt-{Guid.NewGuid():N}.sock");

    private protected ITransport Transport { get; }

    private protected IConnectionListener Listener { get; private set; } = null!;

    /// <summary>The transport's end of a connection that the listener has accepted.</summary>
    private protected IConnection Connection { get; private set; } = null!;

    /// <summary>The other end of it.</summary>
    private protected Socket Peer { get; private set; } = null!;

    /// <param name="create">Makes a transport that resolves names as it is told.</param>
    private protected TransportFixture(Func<HappyEyeballs, ITransport> create) =>
        Transport = create(new HappyEyeballs((name, _) => Task.FromResult(name == "localhost" ? [IPAddress.IPv6Loopback, IPAddress.Loopback] : Addresses), TimeProvider.System));

    /// <summary>What every name but "localhost" is resolved to.</summary>
    private protected IPAddress[] Addresses { get; set; } = [];

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Listener = Transport.Listen(TransportAddress.Tcp("127.0.0.1", 0));
        Peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000, SendTimeout = 20_000 };
        await Peer.ConnectAsync(IPEndPoint.Parse(Listener.Address), Cancel);
        Connection = await Listener.AcceptAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        Connection.Abort();
        await Connection.DisposeAsync();
        await Listener.DisposeAsync();
        Peer.Dispose();
        await Transport.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Writes until a flush has to wait, since the peer reads nothing.</summary>
    private protected async Task<(Task<bool> Flush, int Sent)> FillAsync()
    {
        var sent = 0;
        while (true)
        {
            Assert.True(sent < 64_000_000, "so much can nobody have taken");
            Connection.Output.TryWrite(new byte[50_000]);
            sent += 50_000;
            var flush = Connection.Output.TryFlushAsync().AsTask();
            await Task.WhenAny(flush, Task.Delay(500, Cancel));
            if (!flush.IsCompleted) return (flush, sent);
        }
    }

    private protected static async Task<string> ReadToEndAsync(IConnection connection)
    {
        while (true)
        {
            var read = await connection.Input.ReadAsync(Cancel);
            if (read.IsCompleted) return Encoding.ASCII.GetString(read.Buffer);
            connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private protected async Task<byte[]> ReceiveToEndAsync()
    {
        var all = new MemoryStream();
        var part = new byte[65536];
        for (int count; (count = await Peer.ReceiveAsync(part, Cancel)) > 0;) all.Write(part, 0, count);
        return all.ToArray();
    }
}
