// Which ways are there from a client to the Redis?
using KeyEvt.Bench.Load.Scenario;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>All ways that are wanted and whose program is installed, started: straight, HAProxy, twemproxy, a bare copier, keyevt by each transport, and other builds of keyevt.</summary>
internal sealed class Ways : IAsyncDisposable
{
    private readonly List<IWay> _ways = [];

    private Ways()
    {
    }

    public IReadOnlyList<IWay> All => _ways;

    public static async Task<Ways> StartAsync(RedisServer redis, LoadSettings settings)
    {
        var ways = new Ways();
        try
        {
            await ways.AddAsync(redis, settings);
            return ways;
        }
        catch
        {
            await ways.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var way in _ways) await way.DisposeAsync();
    }

    private async Task AddAsync(RedisServer redis, LoadSettings settings)
    {
        if (settings.Wants("direct")) _ways.Add(new DirectWay(redis));
        if (settings.Wants("haproxy") && IsInstalled("haproxy")) _ways.Add(await OtherProxyWay.StartHaProxyAsync(redis));
        if (settings.Wants("twemproxy") && IsInstalled("nutcracker")) _ways.Add(await OtherProxyWay.StartTwemproxyAsync(redis));
        if (settings.Wants("floor") && IsInstalled("gcc")) _ways.Add(await OtherProxyWay.StartFloorAsync(redis));
        foreach (var transport in (string[])["epoll", "sockets"])
        {
            if (settings.Wants($"keyevt {transport}")) _ways.Add(await KeyEvtWay.StartAsync(redis, transport));
        }
        foreach (var file in settings.Builds?.Split(',') ?? []) _ways.Add(await KeyEvtWay.StartAsync(redis, file, Path.GetFullPath(file)));
    }

    private static bool IsInstalled(string program)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Any(folder => File.Exists(Path.Combine(folder, program)));
        if (!found) Console.Error.WriteLine($"without {program}: it is not installed");
        return found;
    }
}
