// Row P08: what happens when more clients come than there are file descriptors for?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

[Trait("Concerns", "sessions")]
public sealed class P08_FewDescriptorsTests : IAsyncLifetime
{
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    // The catalogue asks for 64 descriptors. This test runs the JIT build, which needs more to start at all: the runtime holds two for each library.
    [Fact]
    public async Task With_few_descriptors_the_connected_are_served_on_further_clients_are_told_so_and_it_recovers()
    {
        var port = FreePorts.Take();
        using var program = ChildProcess.Start(
            "prlimit", ["--nofile=600", "dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "keyevt.dll"), "--upstream", _redis.Url, "--listen", $"127.0.0.1:{port}", "--admin", "off"]);
        await program.LineAsync("that it listens", line => line.StartsWith("listening on", StringComparison.Ordinal));
        await program.SaysAsync("--max-clients 10000 needs");
        await using var before = await RespClient.ConnectAsync(port);
        Assert.Equal("PONG", (await before.CallAsync("PING")).Text);

        for (var round = 0; round < 3; round++)
        {
            var clients = await Task.WhenAll(Enumerable.Range(0, 600).Select(_ => RespClient.ConnectAsync(port)));
            var answers = await Task.WhenAll(clients.Select(async client => (await client.CallAsync("PING")).Text));
            Assert.Equal(["ERR max number of clients reached", "PONG"], answers.Distinct().Order());
            Assert.True(answers.Count(answer => answer == "PONG") >= 50, $"{answers.Count(answer => answer == "PONG")} were let in");
            Assert.Equal("PONG", (await before.CallAsync("PING")).Text);
            foreach (var client in clients) await client.DisposeAsync();
            await Eventually.TrueAsync("a new client to be served", async () =>
            {
                await using var after = await RespClient.ConnectAsync(port);
                return (await after.CallAsync("PING")).Text == "PONG";
            });
        }
        // The program keeps some descriptors in reserve, and must never have needed them.
        Assert.DoesNotContain("Accepting on", program.AllText, StringComparison.Ordinal);
        program.Signal(ChildProcess.SigTerm);
        Assert.Equal(0, await program.ExitAsync(TimeSpan.FromSeconds(12)));
    }
}
