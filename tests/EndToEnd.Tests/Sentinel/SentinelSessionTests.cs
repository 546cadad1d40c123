// Behind Sentinel: do clients come to the master of the moment, and are they sent away when it changes?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Sentinel;

[Trait("Against", "every-redis")]
public sealed class SentinelSessionTests
{
    [Fact]
    public async Task A_switch_ends_the_sessions_and_new_ones_come_to_the_new_master()
    {
        await using var sentinel = await SentinelServers.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", sentinel.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/"]);
        var old = await sentinel.MasterAsync();
        await using var client = await program.ConnectAsync();
        Assert.Equal("OK", (await client.CallAsync("SET", "a", "1")).Text);
        Assert.Equal("1", (await old!.CallAsync("GET", "a")).Text);

        var master = await sentinel.FailoverAsync();
        Assert.NotSame(old, master);
        Assert.Empty(await client.ReadToEndAsync(TimeSpan.FromSeconds(20)));
        await Eventually.TrueAsync("a write to the new master", async () => !(await program.CallAsync("SET", "a", "2")).IsError);
        Assert.Equal("2", (await master.CallAsync("GET", "a")).Text);
    }

    [Fact]
    public async Task After_the_master_was_killed_clients_come_to_the_promoted_one()
    {
        await using var sentinel = await SentinelServers.StartAsync();
        await using var program = await KeyEvtProcess.StartAsync(["--upstream", sentinel.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/"]);
        var old = (await sentinel.MasterAsync())!;
        await using var client = await program.ConnectAsync();
        Assert.Equal("OK", (await client.CallAsync("SET", "a", "1")).Text);
        await old.KillAsync();
        Assert.Empty(await client.ReadToEndAsync());
        var master = await sentinel.FailedOverAsync(old);
        await Eventually.TrueAsync("a write to the new master", async () => !(await program.CallAsync("SET", "a", "2")).IsError);
        Assert.Equal("2", (await master.CallAsync("GET", "a")).Text);
    }
}
