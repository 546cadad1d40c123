using System.Globalization;
using KeyEvt.Servers;

namespace KeyEvt.EndToEnd.Tests.Group;

/// <summary>Writes t:1, u:1, t:2, u:2 and so on, straight to Redis, until it is ended.</summary>
internal sealed class PairWriter : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _running;
    private int _written;

    private PairWriter(RedisServer redis) => _running = RunAsync(redis);

    /// <summary>The number of the last pair that was answered.</summary>
    public int Written => Volatile.Read(ref _written);

    public static PairWriter Start(RedisServer redis) => new(redis);

    /// <returns>The number of the last pair.</returns>
    public async Task<int> EndAsync()
    {
        await _ending.CancelAsync();
        await _running;
        return Written;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _ending.Dispose();
    }

    private async Task RunAsync(RedisServer redis)
    {
        await using var client = await redis.ConnectAsync();
        while (!_ending.IsCancellationRequested)
        {
            var number = (Written + 1).ToString(CultureInfo.InvariantCulture);
            await client.CallAsync("SET", $"t:{number}", "v");
            await client.CallAsync("SET", $"u:{number}", "v");
            Volatile.Write(ref _written, Written + 1);
            await Task.Delay(1);
        }
    }
}
