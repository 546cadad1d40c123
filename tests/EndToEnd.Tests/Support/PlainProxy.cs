// What do tests share that only look at the proxy's Redis side and forward nothing?
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Support;

/// <summary>
/// A class fixture: one Redis, one keyevt before it without masks (so it never connects to a broker) that keeps nothing in that Redis, and one more Redis without a proxy to compare with.
/// </summary>
public sealed class PlainProxy : IAsyncLifetime
{
    public RedisServer Redis { get; private set; } = null!;

    public RedisServer Other { get; private set; } = null!;

    public KeyEvtProcess Program { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        // hz: a blocking command's timeout is noticed after 10 ms, not 100.
        Redis = await RedisServer.StartAsync("busy-reply-threshold 100", "hz 100");
        Other = await RedisServer.StartAsync("busy-reply-threshold 100", "hz 100");
        Program = await KeyEvtProcess.StartAsync(["--upstream", Redis.Url, "--amqp", "amqp://guest:guest@127.0.0.1:1/", "--state", "off", "--config-store", "off"]);
    }

    public async ValueTask DisposeAsync()
    {
        if (Program is not null) await Program.DisposeAsync();
        if (Other is not null) await Other.DisposeAsync();
        if (Redis is not null) await Redis.DisposeAsync();
    }
}
