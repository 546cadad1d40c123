using System.Net;
using System.Net.Sockets;
using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Net;
using KeyEvt.Forwarder.Redis;
using KeyEvt.Servers;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Net;

/// <summary>In which order, and when, are the addresses of a name tried, and what becomes of those that lose?</summary>
public sealed class HappyEyeballsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Dictionary<string, TaskCompletionSource<string>> _tries = [];
    private readonly List<string> _begun = [];
    private readonly List<string> _closed = [];

    /// <summary>Tries that do not end when they are cancelled.</summary>
    private readonly HashSet<string> _isDeaf = [];
    private readonly System.Collections.Concurrent.ConcurrentBag<string> _cancelled = [];
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

    [Theory]
    [InlineData(SocketError.NetworkUnreachable, SocketError.HostUnreachable, SocketError.NetworkUnreachable)] // the best address'
    [InlineData(SocketError.NetworkUnreachable, SocketError.ConnectionRefused, SocketError.ConnectionRefused)] // somebody is there
    [InlineData(SocketError.ConnectionRefused, SocketError.HostUnreachable, SocketError.ConnectionRefused)]
    public async Task When_all_have_failed_the_failure_that_says_most_is_told(SocketError one, SocketError two, SocketError told)
    {
        var racing = Race("10.0.0.1", "10.0.0.2");
        await BegunAsync("10.0.0.1:6379");
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await BegunAsync("10.0.0.2:6379");
        _tries["10.0.0.2:6379"].SetException(new SocketException((int)two));
        Assert.False(racing.IsCompleted);
        _tries["10.0.0.1:6379"].SetException(new SocketException((int)one));
        var error = await Assert.ThrowsAsync<SocketException>(() => racing.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal(told, error.SocketErrorCode);
    }

    [Fact]
    public async Task The_losers_are_cancelled_and_one_that_connects_all_the_same_is_closed()
    {
        var racing = Race("10.0.0.1", "10.0.0.2", "10.0.0.3");
        await BegunAsync("10.0.0.1:6379");
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await BegunAsync("10.0.0.2:6379");
        _isDeaf.Add("10.0.0.1:6379");
        _tries["10.0.0.2:6379"].SetResult("second");
        await Eventually.TrueAsync("the loser to be cancelled", () => _cancelled.Contains("10.0.0.1:6379"));
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

    private Task<string> Race(params string[] addresses)
    {
        var race = new HappyEyeballs((_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray()), _time);
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
            _cancelled.Add(place.ToString());
            if (!_isDeaf.Contains(place.ToString())) mine.TrySetCanceled(over);
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
        await Eventually.TrueAsync($"a try of {place}", () => Begun() is [.., var last] && last == place);
        await Task.Yield();
    }

    [Fact]
    public async Task The_feeds_and_the_brokers_sockets_get_past_an_address_that_swallows_connects()
    {
        var living = IPAddress.Parse("127.0.0.3");
        await using var hole = await BlackHole.OpenAsync(IPAddress.Parse("127.0.0.2"));
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(living, hole.Port));
        listener.Listen();
        var race = new HappyEyeballs((_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.2"), living]), TimeProvider.System);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));

        var feed = await new SocketRedisTransport(TimeProvider.System, race: race).ConnectAsync(new RedisAddress { Host = "redis.example", Port = hole.Port }, deadline.Token);
        using (var accepted = await listener.AcceptAsync(deadline.Token))
        {
            Assert.Equal(living, ((IPEndPoint)accepted.LocalEndPoint!).Address);
        }

        await feed.CloseAsync();

        using var broker = new HappyEyeballsTcpClient("broker.example", race);
        await broker.ConnectAsync(IPAddress.Parse("127.0.0.2"), hole.Port, deadline.Token);
        Assert.True(broker.Connected);
        Assert.Equal(living, ((IPEndPoint)broker.Client.RemoteEndPoint!).Address);
    }
}
