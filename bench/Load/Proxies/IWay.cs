using KeyEvt.Servers;

namespace KeyEvt.Bench.Load.Proxies;

/// <summary>One way from a client to the Redis: straight, or through a proxy whose process is measured.</summary>
internal interface IWay : IAsyncDisposable
{
    string Name { get; }

    int Port { get; }

    /// <summary>Null for the straight way.</summary>
    ChildProcess? Process { get; }

    /// <summary>What the process has allocated on its managed heap since its start; null where there is none.</summary>
    ValueTask<long?> AllocatedBytesAsync() => ValueTask.FromResult<long?>(null);
}
