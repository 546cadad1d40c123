// Row P04: what does a client cost that never reads?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class P04_ClientNeverReadsTests
{
    private const int MiB = BigValues.MiB;

    [Fact]
    public async Task A_client_that_never_reads_is_ended_by_redis_own_output_limit_within_bounded_memory_and_others_go_on()
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

        // What Redis wrote before it ended the client still lies in the buffers of the kernel, as it would without a proxy. Valkey 9 writes something, the other servers nothing.
        await lazy.ReadToEndAsync();
        // The two are the other client and the connection that asks.
        await OpenSessions.CountAsync(program, 2, TimeSpan.FromSeconds(30));
    }
}
