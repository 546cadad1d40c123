// Row R14: what happens when a certificate is expired, of a wrong authority, or for a wrong name?
using KeyEvt.EndToEnd.Tests.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class R14_CertificateTests : IDisposable
{
    private readonly TlsFolder _tls = new();
    private readonly TestAuthority _stranger = new("a stranger");
    private readonly int _port = FreePorts.Take();

    public void Dispose()
    {
        _stranger.Dispose();
        _tls.Dispose();
    }

    [Theory]
    [InlineData("expired", "the certificate expired on ")]
    [InlineData("authority", "the certificate was issued by 'CN=a stranger', which the authorities in --upstream-ca")]
    [InlineData("name", "the certificate is for 'redis.example', not for 'localhost'")]
    public async Task A_wrong_certificate_of_redis_is_refused_with_what_is_wrong_and_never_plain(string fault, string text)
    {
        await using var redis = await _tls.StartRedisAsync(_port, certificate: Wrong(fault));
        var before = await ConnectionsAsync(redis);
        string[] options = ["--upstream", $"rediss://localhost:{_port}", "--upstream-ca", _tls.Ca, "--amqp", "amqp://guest:guest@127.0.0.1:1/", "--keymask", "ALL"];
        await using var program = await KeyEvtProcess.StartAsync(options, waitReady: false);

        await using var client = await program.ConnectAsync();
        await client.SendAsync("SET secret value\r\n");
        Assert.Equal("", await client.ReadTextToEndAsync(TimeSpan.FromSeconds(30)));
        await Eventually.TrueAsync("the session to say so", () => program.Process.AllText.Contains($"upstream rediss://localhost:{_port} cannot be reached: {text}", StringComparison.Ordinal));
        await Eventually.TrueAsync("the feed to say so", () => program.Process.AllText.Contains(text, StringComparison.Ordinal));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, (await program.GetAsync("/readyz")).Status);

        var check = await KeyEvtProcess.RunAsync(["check", .. options, "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]);
        Assert.Equal(1, check.ExitCode);
        Assert.Contains(text, check.Output, StringComparison.Ordinal);

        // Nothing of all that became a command of Redis, neither over TLS nor in plain text.
        Assert.Equal(0, (await redis.CallAsync("EXISTS", "secret")).Integer);
        Assert.Equal(before, await ConnectionsAsync(redis));
    }

    [Theory]
    [InlineData("expired", "the certificate expired on ")]
    [InlineData("authority", "the certificate was issued by 'CN=a stranger', which the authorities in --amqp-ca")]
    [InlineData("name", "the certificate is for 'redis.example', not for 'localhost'")]
    public async Task A_wrong_certificate_of_the_broker_is_refused_with_what_is_wrong_and_never_plain(string fault, string text)
    {
        var (cert, key) = _tls.Write("broker", Wrong(fault));
        await using var broker = new TlsGreeter(cert, key);
        await using var redis = await RedisServer.StartAsync();
        string[] options = ["--upstream", redis.Url, "--amqp", $"amqps://canary:canary-secret@localhost:{broker.Port}/", "--amqp-ca", _tls.Ca, "--keymask", "ALL"];
        await using var program = await KeyEvtProcess.StartAsync(options);

        var answer = await program.CallAsync("key_evt_amqp.connect");
        Assert.StartsWith("AMQP CONNECT ERROR: 3 ", answer.Text, StringComparison.Ordinal);
        Assert.Contains(text, answer.Text, StringComparison.Ordinal);
        var check = await KeyEvtProcess.RunAsync(["check", .. options, "--admin", "off", "--listen", $"127.0.0.1:{FreePorts.Take()}"]);
        Assert.Equal(1, check.ExitCode);
        Assert.Contains(text, check.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("canary-secret", check.ToString() + program.Process.AllText + answer.Text, StringComparison.Ordinal);
        Assert.True(broker.Connections >= 2);
        Assert.Equal(0, broker.Handshakes);
    }

    [Fact]
    public async Task A_broker_without_TLS_is_not_spoken_to_in_plain()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", $"amqps://guest:guest@127.0.0.1:{redis.Port}/", "--keymask", "ALL"]);
        var answer = await program.CallAsync("key_evt_amqp.connect");
        Assert.True(answer.IsError, answer.ToString());
    }

    private TestCertificate Wrong(string fault) => fault switch
    {
        "expired" => _tls.Authority.IssueExpired("localhost"),
        "authority" => _stranger.Issue("localhost"),
        _ => _tls.Authority.Issue("redis.example"),
    };

    /// <summary>Names the commands that Redis has run, apart from those of this test.</summary>
    private static async Task<string> ConnectionsAsync(RedisServer redis)
    {
        var stats = (await redis.CallAsync("INFO", "commandstats")).Text.Split("\r\n");
        return string.Join(' ', stats.Where(line => line.StartsWith("cmdstat_", StringComparison.Ordinal)).Select(line => line.Split(':')[0]).Where(name => name is not ("cmdstat_info" or "cmdstat_exists")));
    }
}
