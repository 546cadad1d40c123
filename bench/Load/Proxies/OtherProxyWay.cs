using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>Through another proxy: HAProxy in TCP mode with one thread, twemproxy, each with a configuration file of its own, and floor.c, which only copies.</summary>
internal sealed class OtherProxyWay : IWay
{
    private readonly PrivateFolder _folder = new("proxy");

    private OtherProxyWay(string name) => Name = name;

    public string Name { get; }

    public int Port { get; } = FreePorts.Take();

    public ChildProcess? Process { get; private set; }

    public static Task<IWay> StartHaProxyAsync(RedisServer redis) => StartAsync(
        "HAProxy TCP, 1 thread",
        "haproxy",
        $$"""
        global
          nbthread 1
          maxconn 9000
        defaults
          mode tcp
          timeout connect 5s
          timeout client 1h
          timeout server 1h
        frontend clients
          bind 127.0.0.1:{port}
          default_backend redis
        backend redis
          server redis 127.0.0.1:{{redis.Port}}

        """,
        file => ["-db", "-f", file]);

    public static Task<IWay> StartTwemproxyAsync(RedisServer redis) => StartAsync(
        "twemproxy",
        "nutcracker",
        $$"""
        redis:
          listen: 127.0.0.1:{port}
          redis: true
          hash: fnv1a_64
          distribution: ketama
          servers:
            - 127.0.0.1:{{redis.Port}}:1

        """,
        file => ["-c", file, "-s", $"{FreePorts.Take()}"]);

    /// <summary>Compiled anew each time; the system's compiler is asked for speed.</summary>
    public static async Task<IWay> StartFloorAsync(RedisServer redis)
    {
        var way = new OtherProxyWay("copier in C");
        var program = Path.Combine(way._folder.Path, "floor");
        using var compiler = ChildProcess.Start("gcc", ["-O2", "-o", program, Path.Combine(AppContext.BaseDirectory, "Proxies", "floor.c")], way._folder.Path);
        if (await compiler.ExitAsync(TimeSpan.FromMinutes(1)) != 0) throw new InvalidOperationException($"gcc: {compiler.AllText}");
        return await way.ServeAsync(program, $"{way.Port}", $"{redis.Port}");
    }

    public ValueTask DisposeAsync()
    {
        Process?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<IWay> StartAsync(string name, string program, string configuration, Func<string, string[]> arguments)
    {
        var way = new OtherProxyWay(name);
        var file = way._folder.Write("configuration", configuration.Replace("{port}", $"{way.Port}", StringComparison.Ordinal));
        return await way.ServeAsync(program, arguments(file));
    }

    private async Task<IWay> ServeAsync(string program, params string[] arguments)
    {
        Process = ChildProcess.Start(program, arguments, _folder.Path);
        await Eventually.TrueAsync($"{Name} to serve", async () =>
        {
            await using var client = await RespClient.ConnectAsync(Port);
            return !(await client.CallAsync("GET", "x")).IsError;
        });
        return this;
    }
}
