using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder.Connect;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Connect;

/// <summary>In which order, and when, are the addresses of a name tried, and what becomes of those that lose?</summary>
public sealed class AddressRaceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Dictionary<string, TaskCompletionSource<string>> _tries = [];
    private readonly List<string> _begun = [];
    private readonly List<string> _closed = [];
    private readonly CancellationTokenSource _stop = new();

    [Fact]
    public async Task The_families_take_turns_in_the_resolvers_order_and_each_try_begins_250_ms_after_the_one_before()
    {
        var racing = Race("2001:db8::1", "2001:db8::2", "2001:db8::3", "10.0.0.1", "10.0.0.2");
        await BegunAsync("[2001:db8::1]:6379");
        _time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Single(Begun());
        _time.Advance(TimeSpan.FromMilliseconds(1));
        foreach (var next in (string[])["10.0.0.1:6379", "[2001:db8::2]:6379", "10.0.0.2:6379", "[2001:db8::3]:6379"])
        {
            await BegunAsync(next);
            _time.Advance(TimeSpan.FromMilliseconds(250));
        }

        _tries["10.0.0.2:6379"].SetResult("10.0.0.2");
        Assert.Equal("10.0.0.2", await racing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_try_that_fails_is_followed_by_the_next_at_once()
    {
        var racing = Race("10.0.0.1", "10.0.0.2", "10.0.0.3");
        await BegunAsync("10.0.0.1:6379");
        _tries["10.0.0.1:6379"].SetException(new SocketException((int)SocketError.ConnectionRefused));
        await BegunAsync("10.0.0.2:6379");
        _tries["10.0.0.2:6379"].SetException(new SocketException((int)SocketError.HostUnreachable));
        await BegunAsync("10.0.0.3:6379");
        _tries["10.0.0.3:6379"].SetResult("third");
        Assert.Equal("third", await racing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task When_all_have_failed_the_last_failure_is_told()
    {
        var racing = Race("10.0.0.1", "10.0.0.2");
        await BegunAsync("10.0.0.1:6379");
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await BegunAsync("10.0.0.2:6379");
        _tries["10.0.0.2:6379"].SetException(new SocketException((int)SocketError.ConnectionRefused));
        Assert.False(racing.IsCompleted);
        _tries["10.0.0.1:6379"].SetException(new SocketException((int)SocketError.HostUnreachable));
        var error = await Assert.ThrowsAsync<SocketException>(() => racing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal(SocketError.HostUnreachable, error.SocketErrorCode);
    }

    [Fact]
    public async Task The_losers_are_cancelled_and_one_that_connects_all_the_same_is_closed()
    {
        var racing = Race("10.0.0.1", "10.0.0.2", "10.0.0.3");
        await BegunAsync("10.0.0.1:6379");
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await BegunAsync("10.0.0.2:6379");
        HoldCancelled.Add("10.0.0.1:6379");
        _tries["10.0.0.2:6379"].SetResult("second");
        Assert.False(racing.IsCompleted); // it ends with all of its tries
        _tries["10.0.0.1:6379"].SetResult("first, too late");
        Assert.Equal("second", await racing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal(["first, too late"], _closed);
        Assert.Equal(2, Begun().Count);
    }

    [Fact]
    public async Task A_cancelled_race_ends_all_of_its_tries()
    {
        var racing = Race("10.0.0.1", "10.0.0.2");
        await BegunAsync("10.0.0.1:6379");
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await BegunAsync("10.0.0.2:6379");
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => racing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.All(_tries.Values, each => Assert.True(each.Task.IsCanceled));
    }

    [Fact]
    public async Task A_name_without_addresses_is_not_found()
    {
        var error = await Assert.ThrowsAsync<SocketException>(() => Race());
        Assert.Equal(SocketError.HostNotFound, error.SocketErrorCode);
    }

    /// <summary>Tries that do not end when they are cancelled.</summary>
    private HashSet<string> HoldCancelled { get; } = [];

    private Task<string> Race(params string[] addresses)
    {
        var race = new AddressRace((_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray()), _time);
        return race.ConnectAsync("redis.example", 6379, TryAsync, lost =>
        {
            _closed.Add(lost);
            return ValueTask.CompletedTask;
        }, _stop.Token);
    }

    private async Task<string> TryAsync(IPEndPoint place, CancellationToken over)
    {
        var mine = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_begun)
        {
            _tries[place.ToString()] = mine;
            _begun.Add(place.ToString());
        }

        await using var cancelling = over.Register(() =>
        {
            if (!HoldCancelled.Contains(place.ToString())) mine.TrySetCanceled(over);
        });
        return await mine.Task;
    }

    private List<string> Begun()
    {
        lock (_begun) return [.. _begun];
    }

    /// <summary>The newest try is this one, and the race waits for what comes next.</summary>
    private async Task BegunAsync(string place)
    {
        await KeyEvt.Servers.Eventually.TrueAsync($"a try of {place}", () => Begun() is [.., var last] && last == place);
        await Task.Yield();
    }
}
