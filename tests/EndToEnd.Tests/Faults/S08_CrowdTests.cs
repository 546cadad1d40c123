// Row S08: does a crowd at the TLS port or the admin port keep other clients waiting?
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KeyEvt.EndToEnd.Tests.Tls;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class S08_CrowdTests : IAsyncLifetime
{
    private readonly TlsFolder _tls = new();
    private readonly int _port = FreePorts.Take();
    private readonly List<Socket> _crowd = [];
    private RedisServer _redis = null!;
    private KeyEvtProcess _program = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _program = await KeyEvtProcess.StartAsync(["--upstream", _redis.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/", "--listen", $"rediss://127.0.0.1:{_port}", .. _tls.ListenOptions()]);
    }

    public async ValueTask DisposeAsync()
    {
        _crowd.ForEach(socket => socket.Dispose());
        await _program.DisposeAsync();
        await _redis.DisposeAsync();
        _tls.Dispose();
    }

    // The quickest of several tries counts. The test asks whether the crowd stands in the way, and not how fast this machine is.
    [Fact]
    public async Task A_client_waits_less_than_a_second_beside_a_thousand_that_never_shake_hands()
    {
        for (var i = 0; i < 1000; i++)
        {
            var silent = await CrowdInAsync(_port);
            if (i % 2 == 0)
            {
                // These are the first bytes of a ClientHello.
                await silent.SendAsync(new byte[] { 22, 3, 1, 2, 0, 1 }, Cancel);
            }
        }
        var shortest = TimeSpan.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await using var client = await SecureRespClient.ConnectAsync(_port, _tls.Authority.Certificate);
            Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
            shortest = Stopwatch.GetElapsedTime(begun) is var time && time < shortest ? time : shortest;
        }
        Assert.True(shortest < TimeSpan.FromSeconds(1), $"{shortest}");
    }

    [Fact]
    public async Task Eighty_idle_connections_to_the_admin_port_keep_nobody_from_it()
    {
        for (var i = 0; i < 80; i++) await CrowdInAsync(_program.AdminPort);
        var health = await KeyEvtProcess.RunAsync(["health", "--admin", $"127.0.0.1:{_program.AdminPort}"]);
        Assert.Equal((0, "alive"), (health.ExitCode, health.Output.Trim()));
        Assert.Equal(HttpStatusCode.OK, (await _program.GetAsync("/readyz")).Status);
    }

    // If each probe left 300 bytes behind, memory would grow by 9 MB.
    [Fact]
    public async Task Who_only_looks_whether_a_TLS_port_is_open_leaves_nothing_behind()
    {
        await ProbeAsync(10_000);
        var before = await ResidentKilobytesAsync();
        await ProbeAsync(30_000);
        await using var client = await SecureRespClient.ConnectAsync(_port, _tls.Authority.Certificate);
        Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
        var after = await ResidentKilobytesAsync();
        Assert.True(after - before < 5_000, $"{before} kB before, {after} kB after");
    }

    private async Task<Socket> CrowdInAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _crowd.Add(socket);
        await socket.ConnectAsync(IPAddress.Loopback, port, Cancel);
        return socket;
    }

    private Task ProbeAsync(int probes) => Parallel.ForAsync(0, probes, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancel }, async (n, cancel) =>
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (n % 2 == 0)
        {
            // Closing this socket resets the connection.
            socket.LingerState = new LingerOption(true, 0);
        }

        await socket.ConnectAsync(IPAddress.Loopback, _port, cancel);
    });

    private async Task<int> ResidentKilobytesAsync()
    {
        var line = (await File.ReadAllLinesAsync($"/proc/{_program.Process.Id}/status", Cancel)).Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
