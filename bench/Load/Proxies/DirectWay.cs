using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>Straight to Redis: what the others are compared with.</summary>
internal sealed class DirectWay(RedisServer redis) : IWay
{
    public string Name => "direct";

    public int Port => redis.Port;

    public ChildProcess? Process => null;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
