using System.Net.Sockets;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Tests.Session;

/// <summary>Connects to what the test prepared.</summary>
internal sealed class MemoryTransport(Func<TransportAddress, CancellationToken, ValueTask<IConnection>> connect) : ITransport
{
    public MemoryTransport(Func<CancellationToken, ValueTask<IConnection>> connect)
        : this((_, cancel) => connect(cancel))
    {
    }

    /// <summary>An upstream that does nothing but answer unknown commands: <paramref name="line"/> gets the request, its words with blanks between.</summary>
    public static MemoryTransport Echoing(Func<string, string> line) => new(cancellationToken =>
    {
        var connection = new MemoryConnection();
        cancellationToken.ThrowIfCancellationRequested();
        _ = EchoAsync(connection, line);
        return ValueTask.FromResult<IConnection>(connection);
    });

    /// <summary>Nobody there.</summary>
    public static MemoryTransport Refusing { get; } = new(_ => throw new SocketException((int)SocketError.ConnectionRefused));

    public Task Completion { get; } = new TaskCompletionSource().Task;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public IConnectionListener Listen(TransportAddress address) => throw new NotSupportedException();

    public ValueTask<IConnection> ConnectAsync(TransportAddress address, CancellationToken cancellationToken) => connect(address, cancellationToken);

    private static async Task EchoAsync(MemoryConnection connection, Func<string, string> line)
    {
        while (!connection.IsDisposed)
        {
            var request = await connection.ReadRequestAsync();
            await connection.SendAsync(line(string.Join(' ', request)));
        }
    }
}
