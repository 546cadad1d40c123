// FAULTS P4 and P10: what does a client cost that never reads, or leaves in the middle of a reply?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

public sealed class P4P10Tests
{
    private const int MiB = BigValues.MiB;

    [Fact]
    public async Task P4_a_client_that_never_reads_is_ended_by_redis_own_output_limit_within_bounded_memory_and_others_go_on()
    {
        await using var redis = await RedisServer.StartAsync("client-output-buffer-limit normal 16mb 0 0");
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/"]);
        await using var other = await program.ConnectAsync();
        await BigValues.StoreAsync(other, "big", new byte[MiB], 8);
        await using var lazy = await program.ConnectAsync();
        await lazy.CallAsync("CLIENT", "SETNAME", "lazy");

        var growth = await BigValues.GrowthAsync(program.Process, async () =>
        {
            await lazy.SendAsync(string.Concat(Enumerable.Repeat("GET big\r\n", 40)));
            await Eventually.TrueAsync("Redis to end it", async () =>
            {
                Assert.Equal("PONG", (await other.CallAsync("PING")).Text);
                return !(await redis.CallAsync("CLIENT", "LIST")).Text.Contains("name=lazy", StringComparison.Ordinal);
            });
        });

        Assert.True(growth < 32 * MiB, $"grew by {growth / MiB} MiB");
        await redis.Process.SaysAsync("overcoming of output buffer limits");

        // What Redis had written before it ended the client is still in the kernel's buffers, as it would be without a proxy: Valkey 9 writes some, the others none.
        await lazy.ReadToEndAsync();
        await SessionsAsync(program, 2, TimeSpan.FromSeconds(30)); // other, and the question itself
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task P10_a_client_that_leaves_in_mid_reply_takes_its_upstream_connection_with_it(bool byReset)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/"]);
        await using var other = await program.ConnectAsync();
        await BigValues.StoreAsync(other, "big", new byte[MiB], 64);
        for (var i = 0; i < 5; i++)
        {
            await using var leaver = await program.ConnectAsync();
            await leaver.CallAsync("CLIENT", "SETNAME", "leaver");
            await leaver.SendAsync("GET big\r\nGET big\r\n");
            await leaver.ReadBytesAsync(100_000);
            if (byReset)
                leaver.Reset();
        }

        await Eventually.TrueAsync("its upstream connections to close", async () => !(await redis.CallAsync("CLIENT", "LIST")).Text.Contains("leaver", StringComparison.Ordinal));
        await SessionsAsync(program, 2, TimeSpan.FromSeconds(15));
        Assert.Equal("PONG", (await other.CallAsync("PING")).Text);
    }

    private static Task SessionsAsync(KeyEvtProcess program, int expected, TimeSpan deadline)
        => Eventually.ValueAsync($"{expected} sessions", async () => (await program.InfoAsync())["server.connected_clients"], count => count == $"{expected}", deadline);
}
