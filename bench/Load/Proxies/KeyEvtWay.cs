using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>Through keyevt: its feed subscribed, nothing to forward.</summary>
internal sealed class KeyEvtWay : IWay
{
    private readonly KeyEvtProcess _program;

    private KeyEvtWay(string name, KeyEvtProcess program) => (Name, _program) = (name, program);

    public string Name { get; }

    public int Port => _program.Port;

    public ChildProcess? Process => _program.Process;

    /// <param name="transport">As the option --transport.</param>
    public static async Task<IWay> StartAsync(RedisServer redis, string transport)
        => new KeyEvtWay($"keyevt {transport}", await KeyEvtProcess.StartAsync(["--upstream", redis.Url, "--transport", transport]));

    /// <param name="file">A build of the program.</param>
    public static async Task<IWay> StartAsync(RedisServer redis, string name, string file)
        => new KeyEvtWay(name, await KeyEvtProcess.StartAsync(["--upstream", redis.Url], file: file));

    public async ValueTask<long?> AllocatedBytesAsync() => long.Parse((await _program.InfoAsync())["server.allocated_bytes"], CultureInfo.InvariantCulture);

    public ValueTask DisposeAsync() => _program.DisposeAsync();
}
