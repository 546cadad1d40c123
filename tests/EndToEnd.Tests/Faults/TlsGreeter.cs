// Does a client go on after it has seen this certificate?
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>A port that does a TLS handshake and nothing else. It counts the connections, and the clients that accepted its certificate.</summary>
internal sealed class TlsGreeter : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly SslStreamCertificateContext _certificate;
    private int _connections;
    private int _handshakes;

    public TlsGreeter(string certificate, string key)
    {
        _certificate = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(certificate, key), null, offline: true);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        _listener.Listen();
        _ = AcceptAsync();
    }

    public int Port { get; } = FreePorts.Take();

    public int Connections => Volatile.Read(ref _connections);

    public int Handshakes => Volatile.Read(ref _handshakes);

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = GreetAsync(await _listener.AcceptAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The listener has been disposed.
        }
    }

    private async Task GreetAsync(Socket socket)
    {
        Interlocked.Increment(ref _connections);
        await using var secure = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = _certificate });
            // With TLS 1.3 this side is done before the client has judged the certificate. Only a byte of AMQP shows that it was accepted.
            if (await secure.ReadAsync(new byte[1]) > 0) Interlocked.Increment(ref _handshakes);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // The client did not accept the certificate.
        }
    }
}
