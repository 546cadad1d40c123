using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>Through keyevt as it is started by default: its feed subscribed, nothing to forward.</summary>
internal sealed class KeyEvtWay : IWay
{
    private readonly KeyEvtProcess _program;

    private KeyEvtWay(KeyEvtProcess program) => _program = program;

    public string Name => "keyevt";

    public int Port => _program.Port;

    public ChildProcess? Process => _program.Process;

    public static async Task<IWay> StartAsync(RedisServer redis) => new KeyEvtWay(await KeyEvtProcess.StartAsync(["--upstream", redis.Url]));

    public ValueTask DisposeAsync() => _program.DisposeAsync();
}
