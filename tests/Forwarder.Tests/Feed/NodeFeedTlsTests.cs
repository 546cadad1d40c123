using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Does rediss:// mean TLS, with a certificate that is checked?</summary>
public sealed class NodeFeedTlsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("keyevt-tls-");
    private readonly X509Certificate2 _certificate;
    private readonly int _port = FreePorts.Take();
    private readonly RecordingSink _sink = new();

    public NodeFeedTlsTests()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(PathOf("cert"), _certificate.ExportCertificatePem());
        File.WriteAllText(PathOf("key"), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Events_arrive_over_TLS()
    {
        await using var server = await StartServerAsync();
        await using var feed = FeedOn(new SocketFeedTransport([_certificate]));
        feed.Start();
        await feed.WaitSubscribedAsync(TestContext.Current.CancellationToken);

        await server.CallAsync("SET", "a", "b");

        await Eventually.TrueAsync("the event", () => _sink.Keys.Contains("a"));
    }

    [Fact]
    public async Task R14_a_certificate_from_nobody_trusted_is_refused_with_a_clear_text_and_nothing_is_sent()
    {
        await using var server = await StartServerAsync();
        await using var feed = FeedOn(new SocketFeedTransport());
        feed.Start();

        await Eventually.TrueAsync("the reason", () => feed.Status.LastError?.Contains("certificate", StringComparison.Ordinal) == true);

        Assert.Equal(0, feed.Status.MarkersSent);
    }

    [Fact]
    public async Task A_plain_port_is_not_spoken_to_in_plain()
    {
        await using var server = await RedisServer.StartAsync();
        await using var feed = new NodeFeed(
            new NodeFeedOptions { Address = RedisAddress.Parse(server.Url.Replace("redis:", "rediss:", StringComparison.Ordinal)) },
            _sink, new GapLog(), TimeProvider.System, new RecordingLogger());
        feed.Start();

        await Eventually.TrueAsync("the reason", () => feed.Status.LastError is not null);
        Assert.Equal(FeedState.Down, feed.Status.State);
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name + ".pem");

    private Task<RedisServer> StartServerAsync() => RedisServer.StartAsync(
        $"tls-port {_port}", $"tls-cert-file {PathOf("cert")}", $"tls-key-file {PathOf("key")}", $"tls-ca-cert-file {PathOf("cert")}", "tls-auth-clients no");

    private NodeFeed FeedOn(SocketFeedTransport transport)
    {
        var address = RedisAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"rediss://localhost:{_port}"));
        var feed = new NodeFeed(new NodeFeedOptions { Address = address }, _sink, new GapLog(), TimeProvider.System, new RecordingLogger(), transport);
        feed.Want(EventClass.String);
        return feed;
    }
}
