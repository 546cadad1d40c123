using System.Net.Sockets;
using KeyEvt.Forwarder.Net;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Proxy.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace KeyEvt.Proxy.Transport.Tls;

/// <summary>TLS for addresses that ask for it, over the runtime's sockets. All other addresses go to the transport for plain connections.</summary>
/// <param name="server">Null when no listening address asks for TLS.</param>
/// <param name="race">Null: the system resolves names.</param>
internal sealed class TlsTransport(
    ITransport plain, TlsClient client, TlsServer? server, SocketSettings settings, HandshakeLimits limits, TimeProvider time, ILogger logger, HappyEyeballs? race = null) : ITransport
{
    private readonly HandshakeAdmission _room = new(limits, time);
    private readonly HappyEyeballs _race = race ?? HappyEyeballs.By(time);

    public Task Completion => plain.Completion;

    public IConnectionListener Listen(TransportAddress address)
    {
        if (!address.IsTls) return plain.Listen(address);
        return new TlsListener(new SocketListener(address.Plain, settings), server ?? throw new InvalidOperationException("no certificate to listen with"), _room, time, logger);
    }

    public ValueTask DisposeAsync()
    {
        _room.Dispose();
        return plain.DisposeAsync();
    }

    /// <exception cref="TlsFailedException">Somebody accepts the connection, but the TLS handshake fails.</exception>
    public ValueTask<IConnection> ConnectAsync(TransportAddress address, CancellationToken cancellationToken) =>
        address.IsTls ? ConnectSecureAsync(address, cancellationToken) : plain.ConnectAsync(address, cancellationToken);

    private async ValueTask<IConnection> ConnectSecureAsync(TransportAddress address, CancellationToken cancellationToken)
    {
        var socket = await SocketTransport.OpenAsync(address, settings, _race, cancellationToken).ConfigureAwait(false);
        var secure = await client.SecureAsync(new NetworkStream(socket, ownsSocket: true), address.Host, cancellationToken).ConfigureAwait(false);
        return new TlsConnection(socket, secure, address.ToString(), time);
    }
}
