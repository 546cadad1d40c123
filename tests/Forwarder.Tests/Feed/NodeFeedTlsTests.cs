using System.Globalization;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed;
using KeyEvt.Forwarder.Feed.Coverage;
using KeyEvt.Forwarder.Feed.Status;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Forwarder.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>Does rediss:// mean TLS, with a certificate that is checked?</summary>
[Trait("Needs", "servers")]
public sealed class NodeFeedTlsTests : IDisposable
{
    private readonly PrivateFolder _folder = new("tls");
    private readonly TestAuthority _authority = new();
    private readonly int _port = FreePorts.Take();
    private readonly RecordingSink _sink = new();

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Events_arrive_over_TLS()
    {
        await using var server = await StartServerAsync(_authority.Issue("localhost"));
        await using var feed = FeedOn(TrustingAuthority());
        feed.Start();
        await feed.WaitSubscribedAsync(TestContext.Current.CancellationToken);

        await server.CallAsync("SET", "a", "b");

        await Eventually.TrueAsync("the event", () => _sink.Keys.Contains("a"));
    }

    [Fact]
    public async Task R14_a_certificate_from_nobody_trusted_is_refused_with_a_clear_text_and_nothing_is_sent()
    {
        await using var server = await StartServerAsync(_authority.Issue("localhost"));
        await RefusedAsync(FeedOn(new SocketRedisTransport(TimeProvider.System)), "the certificate was issued by 'CN=keyevt test authority', which no authority of this system vouches for: name its authority's certificate in --upstream-ca");
    }

    [Fact]
    public async Task R14_an_expired_certificate_is_refused_with_a_clear_text_and_nothing_is_sent()
    {
        await using var server = await StartServerAsync(_authority.IssueExpired("localhost"));
        await RefusedAsync(FeedOn(TrustingAuthority()), "the certificate expired on ");
    }

    [Fact]
    public async Task R14_a_certificate_for_another_name_is_refused_with_a_clear_text_and_nothing_is_sent()
    {
        await using var server = await StartServerAsync(_authority.Issue("redis.example", "10.1.2.3"));
        await RefusedAsync(FeedOn(TrustingAuthority()), "the certificate is for 'redis.example', '10.1.2.3', not for 'localhost'");
    }

    [Fact]
    public async Task A_node_that_asks_for_a_certificate_says_so()
    {
        await using var server = await StartServerAsync(_authority.Issue("localhost"), "yes");
        await RefusedAsync(FeedOn(TrustingAuthority()), "a client certificate is asked for there: give one with --upstream-cert and --upstream-key");
    }

    [Fact]
    public async Task A_plain_port_is_not_spoken_to_in_plain()
    {
        await using var server = await RedisServer.StartAsync();
        await RefusedAsync(FeedOn(TrustingAuthority(), server.Port), "there is no answer to the TLS handshake in time: is it the port without TLS?");
    }

    private static async Task RefusedAsync(NodeFeed feed, string text)
    {
        await using var disposing = feed;
        feed.Start();
        await Eventually.ValueAsync("the reason", () => Task.FromResult(feed.Status.LastError), error => error?.Contains(text, StringComparison.Ordinal) == true);
        Assert.Equal(0, feed.Status.MarkersSent);
        Assert.NotEqual(FeedState.Subscribed, feed.Status.State);
    }

    private Task<RedisServer> StartServerAsync(TestCertificate certificate, string authClients = "no") => RedisServer.StartAsync(
        $"tls-port {_port}", $"tls-cert-file {_folder.Write("cert.pem", certificate.CertificatePem)}", $"tls-key-file {_folder.Write("key.pem", certificate.KeyPem)}",
        $"tls-ca-cert-file {_folder.Write("ca.pem", _authority.Pem)}", $"tls-auth-clients {authClients}");

    private SocketRedisTransport TrustingAuthority() => new(TimeProvider.System, new TlsClient(new ReloadableTls(new TlsFileNames("--upstream") { Ca = _folder.Write("trusted.pem", _authority.Pem) }, TimeProvider.System)));

    private NodeFeed FeedOn(SocketRedisTransport transport, int? port = null)
    {
        var address = RedisAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"rediss://localhost:{port ?? _port}"));
        var alone = new GroupOfOne();
        var feed = new NodeFeed(address, new NodeFeedOptions(), _sink, new GapLog(), TimeProvider.System, new RecordingLogger(), alone.Membership, null, transport);
        alone.Want(EventClass.String);
        feed.Want(EventClass.String);
        return feed;
    }
}
