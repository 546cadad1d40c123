using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KeyEvt.Forwarder.Tests.Feed;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Proxy.Transport;
using KeyEvt.Proxy.Transport.Sockets;
using KeyEvt.Proxy.Transport.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Proxy.Tests.Transport;

/// <summary>A transport over TLS, a listener, and how tests connect to it with a client of the runtime's own, by either version of TLS.</summary>
public abstract class TlsTransportFixture : IAsyncLifetime
{
    private protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keyevt-tls-");
    private readonly TestAuthority _authority = new();

    private protected RecordingLogger Logger { get; } = new();

    private protected TlsTransport Transport { get; private set; } = null!;

    private protected IConnectionListener Listener { get; private set; } = null!;

    private protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private protected int Port => IPEndPoint.Parse(Listener.Address[TransportAddress.TlsScheme.Length..]).Port;

    public ValueTask InitializeAsync()
    {
        var certificate = _authority.Issue("localhost");
        var client = new TlsClient(new ReloadableTls(new TlsFileNames("--upstream") { Ca = Write("ca", _authority.Pem) }, TimeProvider.System));
        var server = new TlsServer(new ReloadableTls(new TlsFileNames("--tls") { Certificate = Write("cert", certificate.CertificatePem), Key = Write("key", certificate.KeyPem) }, TimeProvider.System), ClientCertificates.No);
        Transport = new TlsTransport(new SocketTransport(), client, server, new SocketSettings(), new HandshakeLimits(Waiting: 32, Handshakes: 8), TimeProvider.System, Logger);
        Listener = Transport.Listen(TransportAddress.Tls("127.0.0.1", 0));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync();
        _authority.Dispose();
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected Task<Ends> ConnectAsync(bool olderTls = false) => ConnectAsync(Listener, new IPEndPoint(IPAddress.Loopback, Port), olderTls);

    private protected async Task<Ends> ConnectAsync(IConnectionListener listener, IPEndPoint place, bool olderTls = false)
    {
        var socket = await OpenAsync(place);
        var accepting = listener.AcceptAsync(Cancel).AsTask();
        var peer = await ShakeHandsAsync(socket, olderTls);
        return new Ends(await accepting.WaitAsync(Patience, Cancel), peer, socket);
    }

    private protected static async Task<Socket> OpenAsync(IPEndPoint place)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(place, Cancel);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private protected async Task<SslStream> ShakeHandsAsync(Socket socket, bool olderTls)
    {
        var peer = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await peer.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = TrustingAuthority(), EnabledSslProtocols = olderTls ? System.Security.Authentication.SslProtocols.Tls12 : default }, Cancel);
        return peer;
    }

    private protected X509ChainPolicy TrustingAuthority()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_authority.Certificate);
        return policy;
    }

    private string Write(string name, string pem)
    {
        var path = Path.Combine(_folder.FullName, name + ".pem");
        File.WriteAllText(path, pem);
        return path;
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

    private protected static async Task<byte[]> ReceiveToEndAsync(SslStream peer)
    {
        var all = new MemoryStream();
        await peer.CopyToAsync(all, Cancel);
        return all.ToArray();
    }

    private protected sealed record Ends(IConnection Connection, SslStream Peer, Socket Socket) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            Connection.Abort();
            await Connection.DisposeAsync();
            await Peer.DisposeAsync();
        }
    }
}
