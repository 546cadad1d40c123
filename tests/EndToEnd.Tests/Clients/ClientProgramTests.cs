// Do the clients that people use see the same through the proxy as straight to Redis?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Clients;

/// <summary>
/// The programs of tests/Clients, each run against one Redis and through the proxy against its twin; what they print must be equal. What they need is
/// installed by scripts/test.sh.
/// </summary>
public sealed class ClientProgramTests(PlainProxy proxy) : IClassFixture<PlainProxy>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public Task Ioredis() => SameAsync("node", [Source("node", "ioredis.mjs")]);

    [Fact]
    public Task Node_redis_in_resp2_and_resp3() => SameAsync("node", [Source("node", "node-redis.mjs")]);

    // Debian's own python, for which its package python3-redis is.
    [Fact]
    public Task Redis_py() => SameAsync("/usr/bin/python3", [Source("python", "redis_py.py")]);

    [Fact]
    public async Task Hiredis()
    {
        using var folder = new PrivateFolder("hiredis");
        var program = folder.File("hiredis");
        var built = await Run.ToEndAsync("gcc", ["-O1", "-Wall", "-Werror", "-o", program, Source("c", "hiredis.c"), "-lhiredis"]);
        Assert.True(built.ExitCode == 0, built.ToString());
        await SameAsync(program, []);
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("50", "16")]
    public async Task Redis_benchmark_runs_all_its_tests(string clients, string pipeline)
    {
        var result = await Run.ToEndAsync("redis-benchmark",
            ["-p", $"{proxy.Program.Port}", "-c", clients, "-P", pipeline, "-n", clients == "1" ? "300" : "5000", "-d", "200", "-r", "1000", "--csv"], deadline: Deadline);
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.DoesNotContain("rror", result.Output + result.Errors, StringComparison.Ordinal);
        var tests = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(tests.Length > 18, result.Output);
    }

    /// <summary>A file below tests/Clients, in the repository that this program was built in.</summary>
    internal static string Source(params string[] path)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "KeyEvt.slnx"))) folder = folder.Parent;
        Assert.NotNull(folder);
        return Path.Combine([folder.FullName, "tests", "Clients", .. path]);
    }

    private async Task SameAsync(string program, string[] arguments)
    {
        var direct = Run.ToEndAsync(program, [.. arguments, proxy.Other.Port.ToString(CultureInfo.InvariantCulture)], deadline: Deadline);
        var through = Run.ToEndAsync(program, [.. arguments, proxy.Program.Port.ToString(CultureInfo.InvariantCulture)], deadline: Deadline);
        var (expected, actual) = (await direct, await through);
        Assert.True(expected.ExitCode == 0, $"without the proxy: {expected}");
        Assert.Equal(expected.ToString(), actual.ToString());
        Assert.Contains("quit", actual.Output, StringComparison.Ordinal);
    }
}
