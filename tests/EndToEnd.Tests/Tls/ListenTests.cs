// What do clients see of a port with TLS?
using System.Security.Authentication;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Tls;

public sealed class ListenTests : IAsyncLifetime
{
    private readonly TlsFolder _tls = new();
    private readonly int _port = FreePorts.Take();
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        _tls.Dispose();
    }

    [Fact]
    public async Task Redis_cli_works_over_TLS_beside_a_plain_port_and_a_unix_socket()
    {
        using var folder = new PrivateFolder("listen");
        var path = folder.File("keyevt.sock");
        await using var program = await StartAsync(["--listen", $"unix:{path}", "--unix-socket-permissions", "770"]);
        Assert.Equal("OK", await TlsCliAsync("SET", "over", "tls"));
        Assert.Equal("tls", (await program.CallAsync("GET", "over")).Text);
        Assert.Equal("redis_keyspace_events", (await TlsCliAsync("key_evt_amqp.config_get", "routing_key")).Split('\n')[^1]);
        await using var local = await RespClient.ConnectUnixAsync(path);
        Assert.Equal("tls", (await local.CallAsync("GET", "over")).Text);
        Assert.Equal("770", (await Run.ToEndAsync("stat", ["-c", "%a", path])).Output.Trim());
    }

    [Fact]
    public async Task Pipelines_large_values_and_half_closed_clients_work_over_TLS()
    {
        await using var program = await StartAsync([]);
        await using var client = await ConnectAsync();
        var value = new string('v', 3_000_000);
        Assert.Equal("OK", (await client.CallAsync("SET", "big", value)).Text);
        Assert.Equal(value, (await client.CallAsync("GET", "big")).Text);
        await client.SendAsync(string.Concat(Enumerable.Repeat("PING\r\n", 1000)) + "QUIT\r\n");
        await client.EndSendingSecurelyAsync();
        Assert.Equal(string.Concat(Enumerable.Repeat("+PONG\r\n", 1000)) + "+OK\r\n", await client.ReadTextToEndAsync());
    }

    [Fact]
    public async Task A_client_that_speaks_no_TLS_or_never_shakes_hands_gets_nothing_and_keeps_nobody_waiting()
    {
        await using var program = await StartAsync([]);
        await using var silent = await RespClient.ConnectAsync(_port);
        await using var plain = await RespClient.ConnectAsync(_port);
        await plain.SendAsync("PING\r\nPING\r\nPING\r\n");
        Assert.DoesNotContain("PONG", await plain.ReadTextToEndAsync(), StringComparison.Ordinal);
        await using var client = await ConnectAsync();
        Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
        await program.Process.SaysAsync("did not get through the TLS handshake");
    }

    [Fact]
    public async Task With_an_authority_clients_without_a_certificate_of_it_are_refused()
    {
        using var stranger = new TestAuthority("somebody else");
        await using var program = await StartAsync(["--tls-ca", _tls.Ca]);
        await using var known = await ConnectAsync(_tls.Authority.Issue("client"));
        Assert.Equal("PONG", (await known.CallAsync("PING")).Text);
        var before = await SessionsAsync(program);
        await RefusedAsync(null);
        await RefusedAsync(stranger.Issue("client"));
        await RefusedAsync(_tls.Authority.IssueExpired("client"));
        Assert.Equal(before + 1, await SessionsAsync(program)); // this very question: the refused never became sessions
    }

    [Fact]
    public async Task Optional_lets_clients_without_a_certificate_in_and_those_with_a_bad_one_not()
    {
        using var stranger = new TestAuthority("somebody else");
        await using var program = await StartAsync(["--tls-ca", _tls.Ca, "--tls-auth-clients", "optional"]);
        await using var without = await ConnectAsync();
        Assert.Equal("PONG", (await without.CallAsync("PING")).Text);
        await using var known = await ConnectAsync(_tls.Authority.Issue("client"));
        Assert.Equal("PONG", (await known.CallAsync("PING")).Text);
        await RefusedAsync(stranger.Issue("client"));
    }

    [Fact]
    public async Task Tls_1_1_is_refused()
    {
        await using var program = await StartAsync([]);
        var (cert, _) = _tls.Write("unused", _tls.Authority.Issue("x"));
        var old = await Run.ToEndAsync("openssl", ["s_client", "-connect", $"127.0.0.1:{_port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-CAfile", cert], input: []);
        Assert.Contains("alert protocol version", old.Errors + old.Output, StringComparison.Ordinal);
        var now = await Run.ToEndAsync("openssl", ["s_client", "-connect", $"127.0.0.1:{_port}", "-tls1_2", "-CAfile", _tls.Ca], input: []);
        Assert.Contains("Verify return code: 0 (ok)", now.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SIGHUP_brings_new_certificates_to_new_connections_and_a_broken_file_changes_nothing()
    {
        using var next = new TestAuthority("the next authority");
        await using var program = await StartAsync([]);
        await using var before = await ConnectAsync();

        _tls.ListenOptions(next.Issue("localhost"));
        program.Process.Signal(ChildProcess.SigHup);
        await Eventually.TrueAsync("the new certificate", async () =>
        {
            await using var client = await SecureRespClient.ConnectAsync(_port, next.Certificate);
            return (await client.CallAsync("PING")).Text == "PONG";
        });
        Assert.Equal("PONG", (await before.CallAsync("PING")).Text);
        await Assert.ThrowsAsync<AuthenticationException>(() => ConnectAsync());

        _tls.ListenOptions(new TestCertificate("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n", "broken"));
        program.Process.Signal(ChildProcess.SigHup);
        await Eventually.TrueAsync("the warning", () => program.Process.AllText.Contains("Certificates stay as they were: --tls-cert names the file", StringComparison.Ordinal));
        await using var still = await SecureRespClient.ConnectAsync(_port, next.Certificate);
        Assert.Equal("PONG", (await still.CallAsync("PING")).Text);
    }

    [Fact]
    public async Task At_SIGHUP_certificates_that_clients_would_refuse_are_kept_out_with_a_warning()
    {
        await using var program = await StartAsync([]);
        await KeptOutAsync(program, _tls.Authority.IssueExpired("localhost"), "whose certificate expired on ");
        await KeptOutAsync(program, _tls.Authority.IssueForLater("localhost"), "whose certificate is not valid before ");
        await KeptOutAsync(program, _tls.Authority.Issue("localhost") with { KeyPem = _tls.Authority.Issue("localhost").KeyPem }, "which is not the private key (PEM) of the first certificate");
    }

    [Fact]
    public async Task An_expired_certificate_at_the_start_is_a_warning_and_other_addresses_are_served()
    {
        var (cert, key) = _tls.Write("expired", _tls.Authority.IssueExpired("localhost"));
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", _redis.Url, "--listen", $"rediss://127.0.0.1:{_port}", "--tls-cert", cert, "--tls-key", key]);
        await program.Process.SaysAsync($"--tls-cert names the file '{cert}', whose certificate expired on ");
        Assert.Equal("PONG", (await program.CallAsync("PING")).Text);
    }

    private async Task KeptOutAsync(KeyEvtProcess program, TestCertificate certificate, string why)
    {
        _tls.ListenOptions(certificate);
        program.Process.Signal(ChildProcess.SigHup);
        await Eventually.TrueAsync("the warning", () => program.Process.ErrorLines.Any(line => line.Contains("Certificates stay as they were: --tls-", StringComparison.Ordinal) && line.Contains(why, StringComparison.Ordinal)));
        await using var client = await ConnectAsync();
        Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
    }

    private async Task<KeyEvtProcess> StartAsync(string[] options)
    {
        var program = await KeyEvtProcess.StartAsync(["--upstream", _redis.Url, "--listen", $"rediss://127.0.0.1:{_port}", .. _tls.ListenOptions(), .. options]);
        await program.Process.LineAsync("that it listens with TLS", line => line.Contains($"rediss://127.0.0.1:{_port}", StringComparison.Ordinal));
        return program;
    }

    private Task<RespClient> ConnectAsync(TestCertificate? shown = null) => SecureRespClient.ConnectAsync(_port, _tls.Authority.Certificate, shown);

    private static async Task<int> SessionsAsync(KeyEvtProcess program) => int.Parse((await program.InfoAsync())["server.total_connections_received"], System.Globalization.CultureInfo.InvariantCulture);

    private async Task<string> TlsCliAsync(params string[] command)
        => (await new RedisCli(_port).RunWithAsync(["--tls", "--cacert", _tls.Ca, .. command])).Output.TrimEnd('\n');

    /// <summary>With TLS 1.3 the server's refusal is read behind the handshake.</summary>
    private async Task RefusedAsync(TestCertificate? shown)
    {
        var refusal = await Record.ExceptionAsync(async () =>
        {
            await using var client = await ConnectAsync(shown);
            await client.CallAsync("PING");
        });
        Assert.True(refusal is AuthenticationException or IOException, $"not refused: {refusal}");
    }
}
