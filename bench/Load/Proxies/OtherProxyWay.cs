using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>Through another proxy with a configuration file of its own: HAProxy in TCP mode with one thread, twemproxy.</summary>
internal sealed class OtherProxyWay : IWay
{
    private readonly PrivateFolder _folder = new("proxy");

    private OtherProxyWay(string name, string program, string configuration, Func<string, string[]> arguments)
    {
        Name = name;
        var file = _folder.Write("configuration", configuration.Replace("{port}", $"{Port}", StringComparison.Ordinal));
        Process = ChildProcess.Start(program, arguments(file), _folder.Path);
    }

    public string Name { get; }

    public int Port { get; } = FreePorts.Take();

    public ChildProcess? Process { get; }

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

    public ValueTask DisposeAsync()
    {
        Process?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<IWay> StartAsync(string name, string program, string configuration, Func<string, string[]> arguments)
    {
        var way = new OtherProxyWay(name, program, configuration, arguments);
        await Eventually.TrueAsync($"{name} to serve", async () =>
        {
            await using var client = await RespClient.ConnectAsync(way.Port);
            return !(await client.CallAsync("GET", "x")).IsError;
        });
        return way;
    }
}
