// Row P10: what does a client cost that leaves in the middle of a reply?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class P10_ClientLeavesTests
{
    private const int MiB = BigValues.MiB;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_leaves_in_mid_reply_takes_its_upstream_connection_with_it(bool byReset)
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
            if (byReset) leaver.Reset();
        }

        await Eventually.TrueAsync("its upstream connections to close", async () => !(await redis.CallAsync("CLIENT", "LIST")).Text.Contains("leaver", StringComparison.Ordinal));
        await OpenSessions.CountAsync(program, 2, TimeSpan.FromSeconds(15));
        Assert.Equal("PONG", (await other.CallAsync("PING")).Text);
    }
}
