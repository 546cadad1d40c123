// Row P09: what do clients see when Redis refuses a connection, or never answers it?
using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using KeyEvt.EndToEnd.Tests.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class P09_UpstreamUnreachableTests
{
    private static readonly string[] NoBroker = ["--amqp", "amqp://guest:guest@127.0.0.1:1/"];

    [Fact]
    public async Task An_upstream_that_refuses_is_a_reset_then_a_refused_connection_and_the_log_says_why()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.KillAsync();
        await using var program = await StartAsync(redis.Url);
        await FirstIsResetAsync(program);
        await Eventually.TrueAsync("clients to be refused", () => ConnectAttempts.IsRefusedAsync(program));
        await SaysAsync(program, $"as upstream 127.0.0.1:{redis.Port} cannot be reached: Connection refused; 1 so far");

        // Meanwhile no other program can take the port.
        using (var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            other.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            Assert.Throws<SocketException>(() => other.Bind(new IPEndPoint(IPAddress.Loopback, program.Port)));
        }

        await redis.RestartAsync();
        await Eventually.ValueAsync("clients to be let in", () => program.CallAsync("PING"), answer => answer.Text == "PONG");
        await SaysAsync(program, $"Upstream 127.0.0.1:{redis.Port} is reached again");
    }

    [Fact]
    public async Task An_upstream_that_refuses_is_the_same_for_clients_of_a_TLS_port()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.KillAsync();
        using var tls = new TlsFolder();
        var port = FreePorts.Take();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, .. NoBroker, "--listen", $"rediss://127.0.0.1:{port}", .. tls.ListenOptions()], waitReady: false);
        await program.Process.LineAsync("that it listens with TLS", line => line.Contains($"rediss://127.0.0.1:{port}", StringComparison.Ordinal));
        await using (var first = await SecureRespClient.ConnectAsync(port, tls.Authority.Certificate))
        {
            Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>((await Assert.ThrowsAnyAsync<IOException>(() => first.ReadBytesAsync(1, TimeSpan.FromSeconds(30)))).GetBaseException()).SocketErrorCode);
        }

        await Eventually.TrueAsync("clients to be refused", () => ConnectAttempts.IsRefusedAsync(port));
        Assert.True(await ConnectAttempts.IsRefusedAsync(program.Port));

        await redis.RestartAsync();
        await Eventually.ValueAsync(
            "clients to be let in",
            async () =>
            {
                await using var client = await SecureRespClient.ConnectAsync(port, tls.Authority.Certificate);
                return await client.CallAsync("PING");
            },
            answer => answer.Text == "PONG");
        await SaysAsync(program, $"Upstream 127.0.0.1:{redis.Port} is reached again");
        Assert.DoesNotContain("did not get through the TLS handshake", program.Process.AllText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upstream_that_swallows_the_connect_is_a_reset_at_the_deadline()
    {
        await using var hole = await BlackHole.OpenAsync();
        await using var program = await StartAsync($"redis://127.0.0.1:{hole.Port}");
        await IsResetAtDeadlineAsync(program, $"upstream 127.0.0.1:{hole.Port} cannot be reached: no answer within 1.5 s");
    }

    [Fact]
    public async Task An_upstream_that_swallows_the_handshake_is_a_reset_at_the_deadline()
    {
        await using var relay = new Relay(FreePorts.Take()) { Swallow = true };
        await using var program = await StartAsync($"rediss://127.0.0.1:{relay.Port}");
        await IsResetAtDeadlineAsync(program, $"upstream rediss://127.0.0.1:{relay.Port} cannot be reached: there is no answer to the TLS handshake in time: is it the port without TLS?");
    }

    [Fact]
    public async Task A_client_that_leaves_meanwhile_costs_nothing_more()
    {
        await using var hole = await BlackHole.OpenAsync();
        await using var program = await StartAsync($"redis://127.0.0.1:{hole.Port}");
        for (var i = 0; i < 20; i++)
        {
            await using var client = await program.ConnectAsync();
            await client.SendAsync("PING\r\n");
        }
        await Eventually.ValueAsync("all of them to be over", () => Task.FromResult(Connected(program.Port)), count => count == 0);
        await IsResetAtDeadlineAsync(program, $"upstream 127.0.0.1:{hole.Port} cannot be reached: no answer within 1.5 s");
    }

    /// <summary>Counts the sockets of this machine that are connected to the port, in whatever state.</summary>
    private static int Connected(int port)
        => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections().Count(connection => connection.LocalEndPoint.Port == port && connection.State != TcpState.TimeWait);

    private static Task<KeyEvtProcess> StartAsync(string upstream)
        => KeyEvtProcess.StartAsync(["--upstream", upstream, .. NoBroker, "--connect-timeout", "1.5"], waitReady: false);

    private static async Task IsResetAtDeadlineAsync(KeyEvtProcess program, string said)
    {
        await using var client = await program.ConnectAsync();
        await client.SendAsync("PING\r\nPING\r\n");
        var clock = Stopwatch.StartNew();
        await ConnectAttempts.IsResetAsync(client);
        Assert.InRange(clock.Elapsed.TotalSeconds, 1, 8);
        await SaysAsync(program, said);
    }

    private static Task SaysAsync(KeyEvtProcess program, string text) => Eventually.TrueAsync($"the log to say: {text}", () => program.Process.AllText.Contains(text, StringComparison.Ordinal));

    private static async Task FirstIsResetAsync(KeyEvtProcess program)
    {
        try
        {
            await using var first = await program.ConnectAsync();
            await ConnectAttempts.IsResetAsync(first);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            // The reset may come so soon that connecting sees it already.
        }
    }
}
