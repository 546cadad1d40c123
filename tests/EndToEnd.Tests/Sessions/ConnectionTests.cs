// How do connections begin and end, and how much of them is held in memory?
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Sessions;

[Trait("Concerns", "sessions")]
public sealed class ConnectionTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    private const int MiB = 1024 * 1024;

    [Fact]
    public async Task A_killed_redis_closes_the_clients_and_serves_new_ones_after_its_restart()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url]);
        await using var client = await program.ConnectAsync();
        Assert.Equal("PONG", (await client.CallAsync("PING")).Text);
        await redis.KillAsync();
        Assert.Empty(await client.ReadToEndAsync());
        await redis.RestartAsync();
        Assert.Equal("PONG", (await program.CallAsync("PING")).Text);
    }

    [Fact]
    public async Task All_replies_come_before_the_end_when_a_client_ends_its_sending()
    {
        await using var client = await proxy.Program.ConnectAsync();
        await client.SendAsync(string.Concat(Enumerable.Repeat("PING\r\n", 1000)) + "QUIT\r\n");
        client.EndSending();
        Assert.Equal(string.Concat(Enumerable.Repeat("+PONG\r\n", 1000)) + "+OK\r\n", await client.ReadTextToEndAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_takes_its_upstream_connection_with_it(bool byReset)
    {
        var name = $"leaver{byReset}";
        var client = await proxy.Program.ConnectAsync();
        await client.CallAsync("CLIENT", "SETNAME", name);
        Assert.Contains(name, (await proxy.Redis.CallAsync("CLIENT", "LIST")).Text, StringComparison.Ordinal);
        await client.SendAsync("SUBSCRIBE x\r\nBLPOP nothing 0\r\n");
        if (byReset) client.Reset();
        await client.DisposeAsync();
        await Eventually.TrueAsync("its upstream connection to close", async () => !(await proxy.Redis.CallAsync("CLIENT", "LIST")).Text.Contains(name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Client_kill_on_redis_closes_the_client()
    {
        await using var client = await proxy.Program.ConnectAsync();
        var id = (await client.CallAsync("CLIENT", "ID")).Text;
        Assert.Equal(1, (await proxy.Redis.CallAsync("CLIENT", "KILL", "ID", id)).Integer);
        Assert.Empty(await client.ReadToEndAsync());
    }

    [Fact]
    public async Task Values_of_100_MB_pass_both_ways_with_less_than_32_MB_growth()
    {
        var piece = new byte[MiB];
        new Random(1).NextBytes(piece);
        await using var client = await proxy.Program.ConnectAsync();
        await StoreAsync(client, piece, 1);
        await FetchAsync(client, piece, 1);

        proxy.Program.Process.ResetPeak();
        var before = proxy.Program.Process.ResidentBytes;
        await StoreAsync(client, piece, 100);
        await FetchAsync(client, piece, 100);
        await FetchAsync(client, piece, 100);
        var growth = proxy.Program.Process.PeakResidentBytes - before;

        Assert.True(growth < 32 * MiB, $"grew by {growth / MiB} MiB");
        await client.CallAsync("DEL", "big");
    }

    [Fact]
    public async Task A_client_that_reads_nothing_costs_bounded_memory_and_others_go_on()
    {
        var piece = new byte[MiB];
        await using var lazy = await proxy.Program.ConnectAsync();
        await StoreAsync(lazy, piece, 8);
        proxy.Program.Process.ResetPeak();
        var before = proxy.Program.Process.ResidentBytes;
        await lazy.SendAsync(string.Concat(Enumerable.Repeat("GET big\r\n", 20)));
        for (var i = 0; i < 200; i++) Assert.Equal("PONG", (await proxy.Program.CallAsync("PING")).Text);
        var growth = proxy.Program.Process.PeakResidentBytes - before;
        Assert.True(growth < 32 * MiB, $"grew by {growth / MiB} MiB");
        lazy.Reset();
    }

    [Fact]
    public async Task Two_hundred_clients_at_once_each_get_their_own_answers()
    {
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 200, CancellationToken = TestContext.Current.CancellationToken }, async (n, _) =>
        {
            await using var client = await proxy.Program.ConnectAsync();
            for (var i = 0; i < 50; i++) Assert.Equal($"{n}-{i}", (await client.CallAsync("ECHO", $"{n}-{i}")).Text);
        });
    }

    [Fact]
    public async Task Without_descriptors_clients_wait_to_be_accepted_and_those_inside_are_served()
    {
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", proxy.Redis.Url]);
        await using var inside = await program.ConnectAsync();
        var limit = program.Process.OpenFiles + 100;
        var set = await Run.ToEndAsync("prlimit", ["--pid", $"{program.Process.Id}", $"--nofile={limit}:{limit}"]);
        Assert.True(set.ExitCode == 0, set.ToString());
        var clients = new List<RespClient>();
        for (var i = 0; i < 100; i++)
        {
            var client = await program.ConnectAsync();
            await client.SendAsync("PING\r\n");
            clients.Add(client);
        }
        await program.Process.LineAsync("that accepting pauses", line => line.Contains("Accepting on", StringComparison.Ordinal) && line.Contains("pauses", StringComparison.Ordinal));
        Assert.Equal("PONG", (await inside.CallAsync("PING")).Text);

        // Whoever leaves makes room for the next.
        foreach (var client in clients)
        {
            Assert.Equal("PONG", (await client.ReadReplyAsync(TimeSpan.FromSeconds(20))).Text);
            await client.DisposeAsync();
        }
        Assert.Equal("PONG", (await program.CallAsync("PING")).Text);
        Assert.Equal("PONG", (await inside.CallAsync("PING")).Text);
    }

    [Fact]
    public async Task Unix_sockets_serve_on_both_sides()
    {
        await using var redis = await RedisServer.StartAsync([], unixSocket: true);
        using var folder = new PrivateFolder("listen");
        var path = folder.File("keyevt.sock");
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", $"unix:{redis.UnixSocket}", "--listen", $"unix:{path}"]);
        await program.Process.LineAsync("that it listens there", line => line.Contains(path, StringComparison.Ordinal));
        await using var client = await RespClient.ConnectUnixAsync(path);
        Assert.Equal("OK", (await client.CallAsync("SET", "u", "1")).Text);
        Assert.Equal('*', (await client.CallAsync("key_evt_amqp.keymask_get")).Type);
        Assert.Equal("1", (await program.CallAsync("GET", "u")).Text);
    }

    private static async Task StoreAsync(RespClient client, byte[] piece, int pieces)
    {
        await client.SendAsync($"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n${(long)piece.Length * pieces}\r\n");
        for (var i = 0; i < pieces; i++) await client.SendAsync(piece, TimeSpan.FromSeconds(30));
        await client.SendAsync("\r\n");
        Assert.Equal("OK", (await client.ReadReplyAsync(TimeSpan.FromSeconds(30))).Text);
    }

    private static async Task FetchAsync(RespClient client, byte[] piece, int pieces)
    {
        var header = $"${(long)piece.Length * pieces}\r\n";
        await client.SendCommandAsync("GET", "big");
        Assert.Equal(header, System.Text.Encoding.Latin1.GetString(await client.ReadBytesAsync(header.Length, TimeSpan.FromSeconds(30))));
        for (var i = 0; i < pieces; i++)
        {
            var got = await client.ReadBytesAsync(piece.Length, TimeSpan.FromSeconds(30));
            if (!piece.AsSpan().SequenceEqual(got)) Assert.Fail($"piece {i} differs");
        }
        Assert.Equal("\r\n", System.Text.Encoding.Latin1.GetString(await client.ReadBytesAsync(2)));
    }
}
